import { describe, expect, it } from 'vitest'
import type { AuthError } from '../errors.ts'
import { everythingIn, SECRET, thrown } from '../fixtures.test.support.ts'
import { resolveAlerts } from './alerts.ts'
import { resolveTelemetry, type TelemetryOptions } from './options.ts'

const refused = (options: unknown): AuthError =>
  thrown(() => resolveTelemetry(options as TelemetryOptions)) as AuthError

describe('resolveTelemetry', () => {
  it('logs nothing, watches the default alerts and has no sinks unless told otherwise', () => {
    const defaults = { logger: undefined, alerts: resolveAlerts({}), sinks: [] }
    expect(resolveTelemetry(undefined)).toEqual(defaults)
    expect(resolveTelemetry({})).toEqual(defaults)
  })

  it('keeps what it is given', () => {
    const sink = { connect: () => () => {} }
    const resolved = resolveTelemetry({ logger: console, alerts: false, sinks: [sink] })
    expect(resolved.logger).toBe(console)
    expect(resolved.alerts).toEqual(resolveAlerts(false))
    expect(resolved.sinks).toEqual([sink])
  })

  it('copies the list of sinks: a later push connects nobody', () => {
    const sinks = [{ connect: () => () => {} }]
    const resolved = resolveTelemetry({ sinks })
    sinks.length = 0
    expect(resolved.sinks).toHaveLength(1)
  })

  it.each<[string, unknown, string]>([
    ['telemetry', console.log, 'an object, got a function'],
    ['telemetry', 5, 'an object, got a number'],
    ['telemetry', null, 'an object, got null'],
    ['telemetry', [], 'an object, got an array'],
    ['telemetry.log', { log: console }, 'Known: logger, alerts, sinks'],
    ['telemetry.logger', { logger: null }, 'such as console, got null'],
    ['telemetry.logger', { logger: console.log }, 'such as console, got a function'],
    ['telemetry.logger', { logger: { ...console, info: undefined } }, 'such as console'],
    ['telemetry.logger', { logger: { ...console, warn: undefined } }, 'such as console'],
    ['telemetry.logger', { logger: { ...console, error: undefined } }, 'such as console'],
    ['telemetry.alerts', { alerts: 'all' }, 'an object, or false, got a string'],
    ['telemetry.alerts.desync.threshold', { alerts: { desync: { threshold: '1' } } }, 'a string'],
    ['telemetry.sinks', { sinks: { connect: () => {} } }, 'an array of sinks, got an object'],
    ['telemetry.sinks', { sinks: null }, 'an array of sinks, got null'],
    ['telemetry.sinks[1]', { sinks: [{ connect: () => {} }, {}] }, 'connect(source)'],
    ['telemetry.sinks[0]', { sinks: [undefined] }, 'got undefined'],
    ['telemetry.sinks[0]', { sinks: [() => {}] }, 'got a function'],
  ])('refuses a wrong `%s`, naming it', (field, options, says) => {
    const error = refused(options)
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_CONFIG', phase: 'configure' })
    expect(error.message).toContain(`\`${field}\``)
    expect(error.message).toContain(says)
  })

  it('quotes no value: a token that was put in the wrong place does not show', () => {
    for (const options of [
      SECRET,
      { logger: SECRET },
      { alerts: SECRET },
      { alerts: { desync: { threshold: SECRET } } },
      { sinks: [SECRET] },
    ]) {
      expect(everythingIn(refused(options))).not.toContain(SECRET)
    }
  })
})
