import type { BridgeEvent } from '@token-bridge/core'
import { timeOfDay } from '../remotes/shared/format.ts'

/** One line on an event, for people. */
export function describeEvent(event: BridgeEvent): string {
  switch (event.type) {
    case 'token-rotated':
      return `generation ${event.generation}, valid until ${timeOfDay(event.expiresAt)} (${event.reason})`
    case 'token-expired':
      return `generation ${event.generation}`
    case 'auth-reset':
      return event.reason
    case 'mode-changed':
      return event.mode
    case 'rotation-failed':
    case 'maintenance-entered':
      return `${event.error.code}: ${event.error.message}`
    case 'unauthorized':
      return `${event.remote}, with generation ${event.generation}`
    case 'violation':
      return `${event.remote ?? 'unknown'}, ${event.kind}: ${event.detail}`
    case 'reader-revoked':
      return event.remote
    case 'desync':
      return `${event.remote} sent generation ${event.generation}, current is ${event.current}`
    case 'remote-mounted':
      return event.remote
    case 'remote-mount-failed':
      return `${event.remote}: ${event.reason}`
    case 'alert':
      return `${event.rule} ${event.state}: ${event.value} (threshold ${event.threshold})`
    case 'reset-finished':
      return `${event.reason}, ${event.steps.length} steps`
    case 'maintenance-left':
    case 'page-restored':
    case 'flag-failed':
      return ''
  }
}
