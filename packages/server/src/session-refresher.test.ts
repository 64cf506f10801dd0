import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import type { Grant, OpenidProvider } from './openid-provider.ts'
import { sessionRefresher } from './session-refresher.ts'
import { createSessions, type Session } from './sessions.ts'

const NOW = Date.now()
const session = (n: number): Session => ({
  accessToken: `access-${n}`,
  expiresAt: NOW + n * 1_000,
  tokenType: 'Bearer',
  refreshToken: `refresh-${n}`,
  endsAt: NOW + 3_600_000,
})
const newerThan = (n: number) => (each: Session) => each.expiresAt > NOW + n * 1_000

async function setUp() {
  const sessions = createSessions(memoryStore())
  const key = await sessions.keyOf(await sessions.open(session(1)))
  const used: string[] = []
  const provider: Pick<OpenidProvider, 'refresh' | 'ready'> = {
    async ready() {},
    async refresh(refreshToken): Promise<Grant> {
      used.push(refreshToken)
      const { accessToken, expiresAt, tokenType } = session(used.length + 5)
      return { accessToken, expiresAt, tokenType }
    },
  }
  const logger = { info: () => {}, warn: () => {}, error: () => {} }
  const refresher = sessionRefresher({
    sessions,
    provider: provider as OpenidProvider,
    logger,
    now: () => NOW,
    grace: 0,
  })
  return { sessions, key, used, refresher }
}

describe('sessionRefresher', () => {
  it('lets a caller join a flight only if what that brings is enough for it', async () => {
    const { sessions, key, used, refresher } = await setUp()
    // Both read the old session; another replica writes a newer one before the first of them looks again.
    const modest = refresher.freshen(key, newerThan(1))
    const demanding = refresher.freshen(key, newerThan(3))
    const other = await sessions.lock(key, 1_000)
    await sessions.replace(key, session(3), other?.fence ?? 0, 0)

    expect(await modest).toMatchObject({ session: { accessToken: 'access-3' }, refreshed: false })
    expect(await demanding).toMatchObject({ session: { accessToken: 'access-6' } })
    expect(used).toEqual(['refresh-3'])
  })

  it('gives up rather than refresh in a circle when the provider has nothing newer', async () => {
    const { key, used, refresher } = await setUp()
    const never = () => false
    const outcomes = await Promise.all([1, 2, 3].map(() => refresher.freshen(key, never)))
    expect(outcomes.map(({ status }) => status)).toEqual(['current', 'current', 'current'])
    expect(used).toEqual(['refresh-1'])
  })

  it('keeps the old refresh token and ID token when the provider sends none', async () => {
    const { sessions, key, refresher } = await setUp()
    await refresher.freshen(key, newerThan(1))
    expect((await sessions.read(key))?.refreshToken).toBe('refresh-1')
  })
})
