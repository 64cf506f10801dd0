/** A process with a seeded fault: runs schedules until a property catches it, and prints what was found as JSON. */
import { findFailure } from './report.ts'

const [seed, runs] = process.argv.slice(2).map(Number)
console.log(JSON.stringify(await findFailure(seed as number, runs as number, { isShort: false })))
