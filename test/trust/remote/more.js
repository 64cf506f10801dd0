// oxlint-disable-next-line import/no-unassigned-import -- a stylesheet has nothing to assign
import './more.css'

export const more = () => `more by ${BUNDLER}`
