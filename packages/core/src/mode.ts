import type { BridgeMode } from './state.ts'

/** The mode that follows from the switch: off means the legacy source, or no tokens at all when there is none. */
export function modeFor(enabled: boolean, hasLegacy: boolean): BridgeMode {
  return enabled ? 'bridge' : hasLegacy ? 'legacy' : 'cookie-only'
}
