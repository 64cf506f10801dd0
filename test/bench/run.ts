/**
 * `npm run bench`: what reading, rotating and `/sync` cost, as ratios to a hand-written floor of the same run. Absolute
 * times say more about the machine than about the code.
 */
import { SecureTokenBridge } from '@token-bridge/core'
import { bytesPerCall, nanosecondsPerAwait, nanosecondsPerCall } from './measure.ts'
import { benchServer } from './server/run.ts'
import { benchStorageGuard } from './storage-guard.ts'

const SUBSCRIBERS = 100_000
const payload = (name: string) => ({ accessToken: name, expiresAt: Date.now() + 3_600_000 })
const answer = new Response(null)
const bridge = new SecureTokenBridge({ origins: ['https://api.test'], fetch: async () => answer })
bridge.updateToken(payload('t'))
const reader = bridge.reader('bench')

const rows: { work: string; 'ratio to floor': string; floor: string; 'bytes per call': string }[] =
  []
const row = (
  work: string,
  ours: number,
  floor: string,
  floorTime: number,
  bytes: number | null,
): void => {
  rows.push({
    work,
    'ratio to floor': (ours / floorTime).toFixed(2),
    floor,
    'bytes per call': bytes === null ? '–' : bytes.toFixed(1),
  })
}

const holder = { token: reader.current() }
const plainRead = { name: 'property read behind a call', run: () => holder.token }
const checkedRead = {
  name: 'property read, expiry checked',
  run: () =>
    holder.token !== null && holder.token.expiresAt > Date.now() + 60_000 ? holder.token : null,
}
const read = { name: 'reader.current()', run: () => reader.current() }
console.log('Reading …')
const readTime = nanosecondsPerCall(read)
row(read.name, readTime, plainRead.name, nanosecondsPerCall(plainRead), bytesPerCall(read))
row(read.name, readTime, checkedRead.name, nanosecondsPerCall(checkedRead), null)

const plainFetch = {
  name: 'stubbed fetch with a ready-made header',
  run: async () => answer && { headers: { authorization: `Bearer ${holder.token?.accessToken}` } },
}
const signedFetch = {
  name: 'reader.fetch(url)',
  run: () => reader.fetch('https://api.test/orders'),
}
console.log('Requesting …')
row(
  signedFetch.name,
  await nanosecondsPerAwait(signedFetch),
  plainFetch.name,
  await nanosecondsPerAwait(plainFetch),
  null,
)

console.log('Fanning out …')
let delivered = 0
const flat: (() => void)[] = Array.from({ length: SUBSCRIBERS }, () => () => void (delivered += 1))
const flatTime = nanosecondsPerCall(
  { name: 'flat', run: () => flat.forEach((listener) => listener()) },
  20,
)
for (let index = 0; index < SUBSCRIBERS; index += 1)
  reader.getToken().subscribe(() => void (delivered += 1))
let rotations = 0
const rotate = { name: 'rotate', run: () => bridge.updateToken(payload(`t${(rotations += 1)}`)) }
row(
  `one rotation to ${SUBSCRIBERS.toLocaleString('en')} subscribers`,
  nanosecondsPerCall(rotate, 20),
  'a flat array of callbacks',
  flatTime,
  null,
)

console.table(rows)
console.log(`${delivered.toLocaleString('en')} deliveries; one machine, one run, medians.`)

await benchServer()

console.log('Guarding …')
console.table(await benchStorageGuard())
