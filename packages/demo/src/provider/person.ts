/** The one account of the demo. */
export const PERSON = Object.freeze({
  id: 'ada',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
})
