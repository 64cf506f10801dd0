const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const euros = new Intl.NumberFormat('en-IE', {
  style: 'currency',
  currency: 'EUR',
  maximumFractionDigits: 0,
})
const plain = new Intl.NumberFormat('en-IE')

/** Local time of day, such as 14:03:22. */
export const timeOfDay = (at: number): string => clock.format(at)
export const money = (amount: number): string => euros.format(amount)
export const count = (amount: number): string => plain.format(amount)
