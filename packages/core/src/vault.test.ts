import { describe, expect, it } from 'vitest'
import { createClock } from './clock.ts'
import { handClocks, HOUR, MINUTE, NOW, secretPayload } from './fixtures.test.support.ts'
import { createVault } from './vault.ts'

function vaultOf() {
  const hands = handClocks()
  const clock = createClock(hands)
  return { hands, clock, vault: createVault(clock, MINUTE) }
}

describe('createVault', () => {
  it('is empty at first', () => {
    const { vault } = vaultOf()
    expect([vault.current(), vault.held()]).toEqual([null, null])
  })

  it('hands the token out until its skew buffer begins, and holds it until it is wiped', () => {
    const { vault, hands } = vaultOf()
    const token = vault.put(secretPayload())
    expect(Object.isFrozen(token)).toBe(true)
    expect(vault.current()).toBe(token)
    hands.advance(4 * MINUTE - 1)
    expect(vault.current()).toBe(token)
    hands.advance(1)
    expect(vault.current()).toBeNull()
    expect(vault.held()).toBe(token)
    vault.wipe()
    expect([vault.current(), vault.held()]).toEqual([null, null])
  })

  it('counts what was put in, over wipes', () => {
    const { vault } = vaultOf()
    expect(vault.generation).toBe(0)
    expect(vault.put(secretPayload()).generation).toBe(1)
    vault.wipe()
    expect(vault.generation).toBe(1)
    expect(vault.put(secretPayload()).generation).toBe(2)
    expect(vault.generation).toBe(2)
  })

  // okta-oidc-js #894: a clock one hour ahead made every new token look expired.
  it('works out anew until when the token is valid once the clock was corrected', () => {
    const { vault, clock } = vaultOf()
    const token = vault.put(secretPayload())
    clock.correct(NOW + HOUR, clock.mark())
    expect(vault.current()).toBe(token)
    vault.retime()
    expect(vault.current()).toBeNull()
    clock.correct(NOW, clock.mark())
    vault.retime()
    expect(vault.current()).toBe(token)
  })

  it('has nothing to work out when it is empty', () => {
    const { vault } = vaultOf()
    vault.retime()
    vault.put(secretPayload())
    vault.wipe()
    vault.retime()
    expect(vault.current()).toBeNull()
  })
})
