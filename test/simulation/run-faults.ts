/** `npm run simulate:faults`: seeds each fault, and says which property catches it, and how soon. */
import { parseArgs } from 'node:util'
import { FAULTS } from './faults.ts'
import { seedFault } from './seed-fault.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '2' },
    runs: { type: 'string', default: '20000' },
    only: { type: 'string', default: '' },
  },
})

console.log('| fault | what is wrong | caught by | schedules until then | seed and path |')
console.log('| --- | --- | --- | ---: | --- |')
for (const fault of FAULTS.filter(({ name }) => name.includes(values.only))) {
  const found = await seedFault(fault, Number(values.seed), Number(values.runs))
  if (found === null) process.exitCode = 1
  const by =
    found === null
      ? `**nothing** | ${values.runs} | `
      : `\`${found.property}\` | ${found.schedules} | ${found.replay.seed}, ${found.replay.path}`
  console.log(`| ${fault.name} | ${fault.what} | ${by} |`)
}
