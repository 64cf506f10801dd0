import type { AuthError } from './errors.ts'
import type { BridgeMode } from './state.ts'

/** The mode that follows from the switch: off means the legacy source, or no tokens at all when there is none. */
export function modeFor(enabled: boolean, hasLegacy: boolean): BridgeMode {
  return enabled ? 'bridge' : hasLegacy ? 'legacy' : 'cookie-only'
}

/** Statuses that say that nothing of ours answers at the address (RFC 9110 sections 15.5.5, 15.5.6 and 15.6.2). */
const NOT_THERE: readonly (number | undefined)[] = [404, 405, 501]

/**
 * The sync endpoint is not there, which is another thing than being down: its half of the suite was not deployed, or was
 * rolled back. A bridge that meets this before its first token cannot initialise.
 */
export function isMissingEndpoint({ code, status }: AuthError): boolean {
  return code === 'ERR_SYNC_NOT_JSON' || (code === 'ERR_SYNC_STATUS' && NOT_THERE.includes(status))
}
