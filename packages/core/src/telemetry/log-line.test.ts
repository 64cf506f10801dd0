import { describe, expect, it } from 'vitest'
import { NOW } from '../fixtures.test.support.ts'
import type { BridgeEvent } from '../state.ts'
import { logLine } from './log-line.ts'

const at = NOW
const error = { code: 'ERR_SYNC_STATUS', message: 'POST /api/auth/sync answered 503.' } as const
const line = (event: BridgeEvent) => logLine(event, { subscribers: 3, duplicateCalls: 0 })
const rotated = (expiresAt: number): BridgeEvent => ({
  type: 'token-rotated',
  at,
  generation: 2,
  expiresAt,
  reason: 'schedule',
})

describe('logLine', () => {
  it('writes the rotation line exactly as other programs read it', () => {
    expect(line(rotated(1_718_900_000_000))).toEqual({
      level: 'info',
      line: '[bridge] token rotated exp=1718900000 subscribers=3 duplicate_calls=0',
    })
  })

  it('writes exp in whole seconds and never later than the token lives', () => {
    expect(line(rotated(1_718_900_000_999))?.line).toContain('exp=1718900000 ')
  })

  it('tells subscribers and duplicate calls apart', () => {
    expect(logLine(rotated(NOW), { subscribers: 0, duplicateCalls: 7 })?.line).toMatch(
      /subscribers=0 duplicate_calls=7$/,
    )
  })

  it.each<[string, string, BridgeEvent]>([
    [
      'info',
      '[bridge] auth reset reason=sign-out',
      { type: 'auth-reset', at, reason: 'sign-out', status: 'signed-out' },
    ],
    [
      'warn',
      '[bridge] mode changed mode=legacy',
      { type: 'mode-changed', at, mode: 'legacy', status: 'loading' },
    ],
    [
      'warn',
      `[bridge] rotation failed code=ERR_SYNC_STATUS ${error.message}`,
      { type: 'rotation-failed', at, error },
    ],
    [
      'error',
      `[bridge] maintenance entered code=ERR_SYNC_STATUS ${error.message}`,
      { type: 'maintenance-entered', at, error },
    ],
    ['info', '[bridge] maintenance left', { type: 'maintenance-left', at }],
    [
      'warn',
      '[bridge] unauthorized remote=orders generation=4',
      { type: 'unauthorized', at, remote: 'orders', generation: 4 },
    ],
    [
      'warn',
      '[bridge] violation kind=forged-action auth/tokenRotated',
      { type: 'violation', at, kind: 'forged-action', detail: 'auth/tokenRotated' },
    ],
    [
      'warn',
      '[bridge] violation kind=read-only-store remote=orders dispatch() was called',
      {
        type: 'violation',
        at,
        kind: 'read-only-store',
        detail: 'dispatch() was called',
        remote: 'orders',
      },
    ],
    [
      'info',
      '[bridge] reader revoked remote=orders',
      { type: 'reader-revoked', at, remote: 'orders' },
    ],
    [
      'warn',
      '[bridge] kill switch could not be read; the last known value stays',
      { type: 'flag-failed', at },
    ],
    ['info', '[bridge] page restored from the back/forward cache', { type: 'page-restored', at }],
    [
      'warn',
      '[bridge] desync remote=orders generation=3 current=4',
      { type: 'desync', at, remote: 'orders', generation: 3, current: 4 },
    ],
    [
      'info',
      '[bridge] remote mounted remote=orders',
      { type: 'remote-mounted', at, remote: 'orders' },
    ],
    [
      'error',
      '[bridge] remote mount failed remote=orders reason=timeout',
      { type: 'remote-mount-failed', at, remote: 'orders', reason: 'timeout' },
    ],
    [
      'error',
      '[bridge] alert firing rule=desync value=0.01 threshold=0.005',
      { type: 'alert', at, rule: 'desync', state: 'firing', value: 0.01, threshold: 0.005 },
    ],
    [
      'info',
      '[bridge] alert cleared rule=unauthorized value=10 threshold=10',
      { type: 'alert', at, rule: 'unauthorized', state: 'cleared', value: 10, threshold: 10 },
    ],
    [
      'info',
      '[bridge] reset finished reason=sign-out abort=done cache=timed-out',
      {
        type: 'reset-finished',
        at,
        reason: 'sign-out',
        steps: [
          { name: 'abort', outcome: 'done', duration: 0 },
          { name: 'cache', outcome: 'timed-out', duration: 5_000 },
        ],
      },
    ],
    ['info', '[bridge] page restored from the back/forward cache', { type: 'page-restored', at }],
    [
      'warn',
      '[bridge] desync remote=orders generation=3 current=4',
      { type: 'desync', at, remote: 'orders', generation: 3, current: 4 },
    ],
    [
      'info',
      '[bridge] remote mounted remote=orders',
      { type: 'remote-mounted', at, remote: 'orders' },
    ],
    [
      'error',
      '[bridge] remote mount failed remote=orders reason=signature',
      { type: 'remote-mount-failed', at, remote: 'orders', reason: 'signature' },
    ],
    [
      'error',
      '[bridge] alert firing rule=desync value=0.01 threshold=0.005',
      { type: 'alert', at, rule: 'desync', state: 'firing', value: 0.01, threshold: 0.005 },
    ],
    [
      'info',
      '[bridge] alert cleared rule=unauthorized value=2 threshold=5',
      { type: 'alert', at, rule: 'unauthorized', state: 'cleared', value: 2, threshold: 5 },
    ],
    [
      'info',
      '[bridge] reset finished reason=sign-out vault=done cart=timed-out',
      {
        type: 'reset-finished',
        at,
        reason: 'sign-out',
        steps: [
          { name: 'vault', outcome: 'done', duration: 0 },
          { name: 'cart', outcome: 'timed-out', duration: 5_000 },
        ],
      },
    ],
  ])('writes at level %s: %s', (level, text, event) => {
    expect(line(event)).toEqual({ level, line: text })
  })

  it('writes nothing for an expiry, which the next line explains', () => {
    expect(line({ type: 'token-expired', at, generation: 1 })).toBeNull()
  })

  it('puts one blank where a run of line breaks was', () => {
    expect(line({ type: 'reader-revoked', at, remote: 'a\r\n\u2028b\nc' })?.line).toBe(
      '[bridge] reader revoked remote=a b c',
    )
  })

  it.each(['\n', '\r\n', '\u2028', '\u0085', '\u001B[2K', '\0'])(
    'keeps to one line when what it quotes has %j: nobody can forge a second one',
    (breaks) => {
      const forged = `x${breaks}[bridge] token rotated exp=1 subscribers=1 duplicate_calls=0`
      const events: BridgeEvent[] = [
        { type: 'violation', at, kind: forged, detail: forged, remote: forged },
        { type: 'unauthorized', at, remote: forged, generation: 1 },
        { type: 'reader-revoked', at, remote: forged },
        { type: 'desync', at, remote: forged, generation: 1, current: 2 },
        { type: 'remote-mounted', at, remote: forged },
        { type: 'remote-mount-failed', at, remote: 'orders', reason: forged },
        {
          type: 'reset-finished',
          at,
          reason: 'sign-out',
          steps: [{ name: forged, outcome: 'done', duration: 0 }],
        },
        { type: 'auth-reset', at, reason: forged, status: 'signed-out' },
        { type: 'rotation-failed', at, error: { code: 'ERR_SYNC_STATUS', message: forged } },
      ]
      for (const event of events) {
        expect(line(event)?.line).toMatch(/^\[bridge\] [^\p{Cc}\p{Zl}\p{Zp}]+$/u)
      }
    },
  )
})
