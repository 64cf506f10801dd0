import { describe, expect, it } from 'vitest'
import { deferred } from './bridge.test.support.ts'
import { createClock } from './clock.ts'
import type { TokenVerifier } from './config.ts'
import { TokenRejectedError } from './errors.ts'
import {
  handClocks,
  HOUR,
  MINUTE,
  NOW,
  rejection,
  secretPayload,
  thrown,
} from './fixtures.test.support.ts'
import { createIntake } from './intake.ts'
import type { TokenRequest } from './source.ts'
import type { TokenPayload } from './wire.ts'

function intakeOf(verify?: TokenVerifier) {
  const hands = handClocks()
  const clock = createClock(hands)
  const fetch: typeof globalThis.fetch = async () => new Response()
  const intake = createIntake({ clock, skewBuffer: MINUTE, verify, environment: { fetch } })
  return { hands, clock, fetch, intake }
}
const question = (signal = new AbortController().signal) => ({ signal, reason: 'schedule' })

describe('ask', () => {
  it('asks the source with the bridge’s own fetch, and brings its payload', async () => {
    const { intake, fetch } = intakeOf()
    const asked: TokenRequest[] = []
    const payload = secretPayload()
    const answer = await intake.ask(
      async (request) => {
        asked.push(request)
        return payload
      },
      { ...question(), newerThan: NOW },
    )
    expect(asked).toMatchObject([{ reason: 'schedule', newerThan: NOW }])
    expect(asked[0]?.fetch).toBe(fetch)
    expect(answer).toMatchObject({ payload, setsClock: true })
  })

  it('brings null when nobody is signed in, without asking the verifier', async () => {
    const { intake } = intakeOf(() => {
      throw new Error('asked')
    })
    await expect(intake.ask(async () => null, question())).resolves.toBeNull()
  })

  it('counts from the moment of the question, however long the answer takes', async () => {
    const { intake, hands, clock } = intakeOf()
    const sent = clock.mark()
    const gate = deferred<TokenPayload>()
    const asking = intake.ask(() => gate.promise, question())
    hands.advance(30_000)
    gate.resolve(secretPayload({ serverTime: NOW }))
    await expect(asking).resolves.toMatchObject({ sent })
  })

  it('refuses a token that ended on its way, by the time of the server', async () => {
    const { intake, hands } = intakeOf()
    const gate = deferred<TokenPayload>()
    const asking = rejection(intake.ask(() => gate.promise, question()))
    hands.advance(4 * MINUTE)
    gate.resolve(secretPayload({ serverTime: NOW }))
    await expect(asking).resolves.toMatchObject({ code: 'ERR_TOKEN_LIFETIME' })
  })

  it('leaves the clock alone: a payload that is refused later must not have set it', async () => {
    const { intake, clock } = intakeOf()
    await intake.ask(
      async () => secretPayload({ serverTime: NOW + HOUR, expiresAt: NOW + 2 * HOUR }),
      question(),
    )
    expect(clock.now()).toBe(NOW)
  })

  it('drops what comes after the signal has aborted, from a source that ignores it', async () => {
    const { intake } = intakeOf()
    const controller = new AbortController()
    const gate = deferred<TokenPayload>()
    const asking = rejection(intake.ask(() => gate.promise, question(controller.signal)))
    const reason = new Error('over')
    controller.abort(reason)
    gate.resolve(secretPayload())
    expect(await asking).toBe(reason)
  })

  it('counts a question that is asked beside another one as a duplicate, and one after another not', async () => {
    const { intake } = intakeOf()
    await intake.ask(async () => secretPayload(), question())
    await rejection(intake.ask(() => Promise.reject(new Error('down')), question()))
    expect(intake.duplicateCalls).toBe(0)
    const gate = deferred<TokenPayload>()
    const both = [1, 2].map(() => intake.ask(() => gate.promise, question()))
    expect(intake.duplicateCalls).toBe(1)
    gate.resolve(secretPayload())
    await Promise.all(both)
    await intake.ask(async () => secretPayload(), question())
    expect(intake.duplicateCalls).toBe(1)
  })

  it('counts no longer a source that throws before it returns a promise', async () => {
    const { intake } = intakeOf()
    const broken = () => {
      throw new Error('synchronous')
    }
    await rejection(intake.ask(broken, question()))
    await intake.ask(async () => secretPayload(), question())
    expect(intake.duplicateCalls).toBe(0)
  })
})

describe('the verifier', () => {
  it('is told the time that it is by the server', async () => {
    const times: number[] = []
    const { intake, hands } = intakeOf((_, { now }) => void times.push(now))
    const gate = deferred<TokenPayload>()
    const asking = intake.ask(() => gate.promise, question())
    hands.advance(1_000)
    gate.resolve(secretPayload({ serverTime: NOW + HOUR, expiresAt: NOW + 2 * HOUR }))
    await asking
    expect(times).toEqual([NOW + HOUR + 1_000])
  })

  it('is asked after the shape was looked at: it never sees what is none', async () => {
    let asked = 0
    const { intake } = intakeOf(() => void (asked += 1))
    const error = await rejection(
      intake.ask(async () => ({ accessToken: '', expiresAt: NOW + HOUR }), question()),
    )
    expect(error).toBeInstanceOf(TokenRejectedError)
    expect(asked).toBe(0)
  })

  it('that takes longer than the token lives lets nothing in', async () => {
    const gate = deferred<void>()
    const asked = deferred<void>()
    const { intake, hands } = intakeOf(() => {
      asked.resolve()
      return gate.promise
    })
    const asking = rejection(intake.ask(async () => secretPayload(), question()))
    await asked.promise
    hands.advance(4 * MINUTE)
    gate.resolve()
    await expect(asking).resolves.toMatchObject({ code: 'ERR_TOKEN_LIFETIME' })
  })

  it('refuses what the host brings as well', async () => {
    const refusal = new Error('forged')
    const { intake } = intakeOf(() => Promise.reject(refusal))
    const answer = intake.check(secretPayload())
    expect(await rejection(intake.verify(answer, question().signal))).toBe(refusal)
  })
})

describe('check', () => {
  it('throws a typed error for what may not enter', () => {
    const { intake } = intakeOf()
    expect(thrown(() => intake.check(secretPayload({ expiresAt: NOW + MINUTE })))).toMatchObject({
      code: 'ERR_TOKEN_LIFETIME',
    })
    expect(thrown(() => intake.check(undefined as unknown as TokenPayload))).toMatchObject({
      code: 'ERR_TOKEN_MALFORMED',
    })
  })

  it.each([
    ['a server time that is ahead', NOW + HOUR, true],
    ['the time that it is', NOW, false],
    ['a server time out of a cache', NOW - HOUR, false],
    ['none', undefined, true],
  ])('lets %s set the clock: %s → %s', (_, serverTime, setsClock) => {
    const { intake } = intakeOf()
    const payload = secretPayload({
      expiresAt: NOW + 3 * HOUR,
      ...(serverTime !== undefined && { serverTime }),
    })
    expect(intake.check(payload)).toMatchObject({ payload, setsClock })
  })
})
