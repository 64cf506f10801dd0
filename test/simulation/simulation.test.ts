import { describe, expect, it } from 'vitest'
import { explain, findFailure, replay } from './report.ts'

/** Fixed, so that a red test is red for a change of ours. Other seeds: `npm run simulate`. */
const SEED = 20_260_101

describe('the bridge in a simulated world', () => {
  it.each([0, 1, 2, 3])(
    'keeps all properties through 500 random schedules, part %i',
    { timeout: 120_000 },
    async (part) => {
      const failure = await findFailure(SEED + part, 500)
      expect(failure === null ? null : await explain(failure)).toBeNull()
    },
  )

  it('does the same again, step by step, with the same seed', async () => {
    const schedule = { seed: SEED, path: '7' }
    const first = await replay(schedule)
    expect(first.trace.length).toBeGreaterThan(20)
    expect(await replay(schedule)).toEqual(first)
    expect((await replay({ seed: SEED, path: '8' })).trace).not.toEqual(first.trace)
  })
})
