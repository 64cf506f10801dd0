import './more.css'

export const more = () => `more by ${BUNDLER}`
