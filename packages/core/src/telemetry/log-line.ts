import type { BridgeLogger } from './options.ts'
import type { BridgeEvent } from '../state.ts'

/** What a line needs to know beside the event. */
export interface LogContext {
  /** How many were told of the new token. */
  readonly subscribers: number
  /** Source calls for this rotation that ran beside another one. */
  readonly duplicateCalls: number
}

interface LogEntry {
  readonly level: keyof BridgeLogger
  readonly line: string
}

/** The line that the log gets for an event, if any. `exp` is in seconds, as in a JWT. */
export function logLine(event: BridgeEvent, context: LogContext): LogEntry | null {
  const entry = describe(event, context)
  // Reasons, names and messages come from elsewhere; a line break in one would forge a second line.
  return entry && { ...entry, line: entry.line.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ') }
}

function describe(event: BridgeEvent, context: LogContext): LogEntry | null {
  switch (event.type) {
    case 'token-rotated':
      return {
        level: 'info',
        line: `[bridge] token rotated exp=${Math.floor(event.expiresAt / 1000)} subscribers=${context.subscribers} duplicate_calls=${context.duplicateCalls}`,
      }
    case 'auth-reset':
      return { level: 'info', line: `[bridge] auth reset reason=${event.reason}` }
    case 'mode-changed':
      return { level: 'warn', line: `[bridge] mode changed mode=${event.mode}` }
    case 'rotation-failed':
      return {
        level: 'warn',
        line: `[bridge] rotation failed code=${event.error.code} ${event.error.message}`,
      }
    case 'maintenance-entered':
      return {
        level: 'error',
        line: `[bridge] maintenance entered code=${event.error.code} ${event.error.message}`,
      }
    case 'maintenance-left':
      return { level: 'info', line: '[bridge] maintenance left' }
    case 'unauthorized':
      return {
        level: 'warn',
        line: `[bridge] unauthorized remote=${event.remote} generation=${event.generation}`,
      }
    case 'violation':
      return {
        level: 'warn',
        line: `[bridge] violation kind=${event.kind}${event.remote === undefined ? '' : ` remote=${event.remote}`} ${event.detail}`,
      }
    case 'reader-revoked':
      return { level: 'info', line: `[bridge] reader revoked remote=${event.remote}` }
    case 'flag-failed':
      return {
        level: 'warn',
        line: '[bridge] kill switch could not be read; the last known value stays',
      }
    case 'page-restored':
      return { level: 'info', line: '[bridge] page restored from the back/forward cache' }
    case 'desync':
      return {
        level: 'warn',
        line: `[bridge] desync remote=${event.remote} generation=${event.generation} current=${event.current}`,
      }
    case 'remote-mounted':
      return { level: 'info', line: `[bridge] remote mounted remote=${event.remote}` }
    case 'remote-mount-failed':
      return {
        level: 'error',
        line: `[bridge] remote mount failed remote=${event.remote} reason=${event.reason}`,
      }
    case 'alert':
      return {
        level: event.state === 'firing' ? 'error' : 'info',
        line: `[bridge] alert ${event.state} rule=${event.rule} value=${event.value} threshold=${event.threshold}`,
      }
    case 'reset-finished':
      return {
        level: 'info',
        line: `[bridge] reset finished reason=${event.reason} ${event.steps.map(({ name, outcome }) => `${name}=${outcome}`).join(' ')}`,
      }
    case 'token-expired':
      return null
  }
}
