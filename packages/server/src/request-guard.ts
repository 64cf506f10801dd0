import { SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'

/** The parts of a request that tell who sent it. */
export interface GuardedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Headers
}

/**
 * Says why a request may not reach the session, or `undefined` when it may: only the app's own script passes.
 *
 * A SameSite=Strict cookie still comes along from a sibling host or another port of the same site (same-site is not
 * same-origin), hence the rest: Fetch Metadata, the exact `Origin`, and a header that no cross-origin page can send
 * without a preflight, which is never granted (RFC 10017 section 6.1.3.3). All current browsers send the `Sec-Fetch-*`
 * headers to secure origins and to localhost, so their absence is a refusal too.
 *
 * A `GET` is excused from `Origin` (browsers send none on a same-origin GET) and from the header.
 *
 * @param origin - the app's own, serialized.
 */
export function requestGuard(request: GuardedRequest, origin: string): string | undefined {
  const { headers, method } = request
  if (headers.get('sec-fetch-site') !== 'same-origin') return 'Sec-Fetch-Site must be same-origin.'
  if (headers.get('sec-fetch-dest') !== 'empty')
    return 'Sec-Fetch-Dest must be empty: call this with fetch().'
  if (request.url.includes('?')) return 'The address takes no query.'
  if (method === 'GET') return undefined
  if (headers.get('origin') !== origin) return 'Origin must be the origin of the app.'
  if (headers.get(SYNC_HEADER) !== SYNC_VERSION)
    return `${SYNC_HEADER} must be ${SYNC_VERSION}: browser and server run different versions of the contract, or the request is not the bridge's.`
  return undefined
}
