import { describe, expect, it } from 'vitest'
import { createClock, isServerTime } from './clock.ts'
import { handClocks, HOUR, MINUTE, NOW, SECOND } from './fixtures.test.support.ts'

type Hands = ReturnType<typeof handClocks>

function clockOf(wall = NOW) {
  const hands = handClocks(wall)
  return { hands, clock: createClock(hands) }
}

describe('createClock', () => {
  it('goes by the wall clock until the server has told its time', () => {
    const { hands, clock } = clockOf()
    expect(clock.now()).toBe(NOW)
    hands.advance(MINUTE)
    expect(clock.now()).toBe(NOW + MINUTE)
  })

  // okta-oidc-js #894: a clock one hour ahead made endless renewals.
  it.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
    ['a year behind', -8_760 * HOUR],
  ])('goes by the server when the wall clock is %s', (_, error) => {
    const { hands, clock } = clockOf(NOW + error)
    clock.correct(NOW, clock.mark())
    expect(clock.now()).toBe(NOW)
    hands.advance(MINUTE)
    expect(clock.now()).toBe(NOW + MINUTE)
  })

  // MSAL #2921: a timestamp taken after the answer lets an expired token look fresh.
  it('counts from the moment the request was sent, so a slow answer makes it early and never late', () => {
    const { hands, clock } = clockOf()
    const sent = clock.mark()
    hands.advance(20 * SECOND)
    clock.correct(NOW + 20 * SECOND, sent)
    expect(clock.now()).toBe(NOW + 40 * SECOND)
  })

  // MSAL #3070, #3206: clock set back, daylight saving.
  it('does not go back when the wall clock is set back', () => {
    const { hands, clock } = clockOf()
    clock.correct(NOW, clock.mark())
    hands.advance(MINUTE)
    hands.setWall(NOW - 24 * HOUR)
    expect(clock.now()).toBe(NOW + MINUTE)
    hands.advance(MINUTE)
    expect(clock.now()).toBe(NOW + 2 * MINUTE)
  })

  it('believes a wall clock that is set forward, so a token expires early, until the server speaks again', () => {
    const { hands, clock } = clockOf()
    clock.correct(NOW, clock.mark())
    hands.setWall(NOW + HOUR)
    expect(clock.now()).toBe(NOW + HOUR)
    clock.correct(NOW + SECOND, clock.mark())
    expect(clock.now()).toBe(NOW + SECOND)
  })

  // auth0 #343, #589: an open tab over night.
  it('sees eight hours of sleep in which the monotonic clock stood still', () => {
    const { hands, clock } = clockOf()
    clock.correct(NOW, clock.mark())
    hands.sleep(8 * HOUR)
    expect(clock.now()).toBe(NOW + 8 * HOUR)
  })

  it('adds sleep and waking time after it', () => {
    const { hands, clock } = clockOf()
    clock.correct(NOW, clock.mark())
    hands.advance(MINUTE)
    hands.sleep(HOUR)
    hands.advance(MINUTE)
    expect(clock.now()).toBe(NOW + HOUR + 2 * MINUTE)
  })

  it('takes a later correction in place of an earlier one', () => {
    const { hands, clock } = clockOf()
    clock.correct(NOW - HOUR, clock.mark())
    hands.advance(SECOND)
    clock.correct(NOW, clock.mark())
    expect(clock.now()).toBe(NOW)
  })

  // LangAlpha PR #387: an epoch of another unit was compared with Date.now().
  it.each([
    ['NaN', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['in seconds', NOW / 1000],
    ['zero', 0],
    ['negative', -NOW],
  ])('keeps its time when the server time is %s', (_, serverTime) => {
    const { hands, clock } = clockOf()
    clock.correct(NOW, clock.mark())
    clock.correct(serverTime, clock.mark())
    hands.advance(SECOND)
    expect(clock.now()).toBe(NOW + SECOND)
  })

  it('never goes back, not even with both clocks of the machine', () => {
    const hands = { wall: NOW, monotonic: 0 }
    const clock = createClock({ wallClock: () => hands.wall, monotonic: () => hands.monotonic })
    hands.wall += MINUTE
    hands.monotonic += MINUTE
    expect(clock.now()).toBe(NOW + MINUTE)
    hands.wall -= SECOND
    hands.monotonic -= SECOND
    expect(clock.now()).toBe(NOW + MINUTE)
  })

  it('takes the wall clock anew as long as no server has told its time, and never after', () => {
    const { hands, clock } = clockOf()
    hands.advance(MINUTE)
    hands.setWall(NOW - HOUR)
    const sent = clock.mark()
    expect(clock.now()).toBe(NOW + MINUTE)
    expect(clock.candidate(undefined, sent)).toBe(NOW - HOUR)
    clock.correct(undefined, sent)
    expect(clock.now()).toBe(NOW - HOUR)
    hands.advance(SECOND)
    expect(clock.now()).toBe(NOW - HOUR + SECOND)

    clock.correct(NOW, clock.mark())
    hands.advance(SECOND)
    hands.setWall(NOW - 2 * HOUR)
    expect(clock.candidate(undefined, clock.mark())).toBe(NOW + SECOND)
    clock.correct(undefined, clock.mark())
    expect(clock.now()).toBe(NOW + SECOND)
  })

  it('tells what it would show were it corrected so, and stays as it is', () => {
    const { hands, clock } = clockOf(NOW - MINUTE)
    hands.advance(MINUTE)
    const sent = clock.mark()
    hands.advance(SECOND)
    expect(clock.candidate(NOW + HOUR, sent)).toBe(NOW + HOUR + SECOND)
    expect(clock.candidate(undefined, sent)).toBe(NOW + SECOND)
    expect(clock.candidate(NOW / 1000, sent)).toBe(NOW + SECOND)
    expect(clock.now()).toBe(NOW + SECOND)
  })

  it('tells the moment of a time on both clocks, and that it is ahead until the clock shows it', () => {
    const { hands, clock } = clockOf(NOW - HOUR)
    clock.correct(NOW, clock.mark())
    const moment = clock.momentOf(NOW + MINUTE)
    expect(clock.isAhead(moment)).toBe(true)
    hands.advance(MINUTE - 1)
    expect(clock.isAhead(moment)).toBe(true)
    hands.advance(1)
    expect(clock.isAhead(moment)).toBe(false)
    expect(clock.now()).toBe(NOW + MINUTE)
  })

  it.each([
    ['sleep, in which the monotonic clock stands still', (hands: Hands) => hands.sleep(MINUTE)],
    ['a wall clock set forward', (hands: Hands) => hands.setWall(NOW + MINUTE)],
    [
      'time, though the wall clock is set back',
      (hands: Hands) => {
        hands.advance(MINUTE)
        hands.setWall(NOW - HOUR)
      },
    ],
  ])('lets a moment come by %s', (_, pass) => {
    const { hands, clock } = clockOf()
    const moment = clock.momentOf(NOW + MINUTE)
    pass(hands)
    expect(clock.isAhead(moment)).toBe(false)
  })

  it('never goes back, also when the wall clock is set back and no other time goes by', () => {
    const { hands, clock } = clockOf()
    hands.setWall(NOW + HOUR)
    expect(clock.now()).toBe(NOW + HOUR)
    hands.setWall(NOW)
    expect(clock.now()).toBe(NOW + HOUR)
    hands.advance(SECOND)
    expect(clock.now()).toBe(NOW + HOUR + SECOND)
  })

  it('counts what passed between two looks, so that a clock set back before a sleep does not hide the sleep', () => {
    const { hands, clock } = clockOf()
    hands.setWall(NOW - 8 * HOUR)
    clock.now()
    hands.sleep(8 * HOUR)
    expect(clock.now()).toBe(NOW + 8 * HOUR)
  })

  it('measures a question that was sent later from when it was sent', () => {
    const { hands, clock } = clockOf()
    hands.advance(10 * SECOND)
    const sent = clock.mark()
    hands.advance(SECOND)
    expect(clock.candidate(NOW, sent)).toBe(NOW + SECOND)
  })

  it('takes the wall clock anew with each answer, as long as no server has told its time', () => {
    const { hands, clock } = clockOf()
    hands.setWall(NOW + HOUR)
    clock.now()
    hands.setWall(NOW)
    hands.advance(SECOND)
    expect(clock.candidate(undefined, clock.mark())).toBe(NOW + SECOND)
    clock.correct(undefined, clock.mark())
    expect(clock.now()).toBe(NOW + SECOND)
  })

  it('keeps to the server once it has told its time, whatever the wall clock says', () => {
    const { hands, clock } = clockOf(NOW - HOUR)
    clock.correct(NOW, clock.mark())
    hands.advance(SECOND)
    expect(clock.candidate(undefined, clock.mark())).toBe(NOW + SECOND)
    clock.correct(undefined, clock.mark())
    expect(clock.now()).toBe(NOW + SECOND)
  })

  it('cannot be replaced in part', () => {
    expect(Object.isFrozen(clockOf().clock)).toBe(true)
  })
})

describe('isServerTime', () => {
  it.each([
    [1e11, true],
    [1e11 - 1, false],
    [NOW + 0.5, false],
    [String(NOW), false],
    [undefined, false],
  ])('says of %j: %s', (value, is) => {
    expect(isServerTime(value)).toBe(is)
  })
})
