import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FAULTS, withFault } from './faults.ts'
import { seedFault } from './seed-fault.ts'

/** With this seed each fault is found within so many schedules; `npm run simulate:faults` prints how many. */
const SEED = 2
const SCHEDULES = 3_000

const packages = new URL('../../packages/', import.meta.url)

// Faults are seeded in the sources; a run against the built packages has nothing to add.
describe.skipIf(process.env['TEST_DIST'])('a seeded fault', () => {
  it.each(FAULTS)('stands in the source: $name', (fault) => {
    for (const { file } of fault.edits) {
      const text = readFileSync(new URL(file, packages), 'utf8')
      expect(withFault(fault, file, text)).not.toBe(text)
    }
  })

  it.concurrent.each(FAULTS)('is caught: $name, $what', { timeout: 120_000 }, async (fault) => {
    const failure = await seedFault(fault, SEED, SCHEDULES)
    expect(failure).toMatchObject({ property: expect.any(String), message: expect.any(String) })
  })
})
