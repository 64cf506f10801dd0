import { isAuthError } from './errors.ts'
import type { AccessToken } from './token.ts'
import type { WebAddresses } from './web-addresses.ts'

/** What the request path needs from the bridge. */
export interface RequestAuthority {
  /** The origin is one that the host listed: the token may go there. */
  allows(origin: string): boolean
  current(): AccessToken | null
  /** Resolves with a valid token, or rejects with the typed reason why there is none. */
  ready(signal: AbortSignal | undefined): Promise<AccessToken>
  /** A token was answered with 401. Resolves with a newer one, or `null` when there is none to be had. */
  replace(refused: AccessToken, signal: AbortSignal | undefined): Promise<AccessToken | null>
  /** A request with the token of this generation is about to leave. */
  sent(generation: number): void
  /** Aborts when the session ends. */
  sessionSignal(): AbortSignal
  readonly fetch: typeof globalThis.fetch
  readonly addresses: WebAddresses
  /** What relative addresses are relative to. */
  baseUrl(): string | undefined
}

/**
 * A `fetch` that signs requests to the allowed origins (RFC 6750 section 2.1): it waits for a valid token, and after a 401
 * it sends the request once more with a newer one, if its body can be sent twice. Requests to other origins go out as
 * they are, without the token.
 */
export function authorizedFetch(authority: RequestAuthority): typeof globalThis.fetch {
  const { addresses } = authority
  return async (input, init) => {
    // From here on a copy, never the caller's object, which can say one thing now and another one to `fetch`.
    const request = typeof input === 'string' ? null : addresses.copy(input)
    const { origin, href } = addresses.parse(
      request === null ? (input as string) : addresses.urlOf(request),
      authority.baseUrl(),
    )
    const target = request ?? href
    if (!authority.allows(origin)) return authority.fetch(target, init)

    const callerSignal = init?.signal ?? request?.signal ?? undefined
    const session = authority.sessionSignal()
    const awaited = authority.current() ?? (await waitForToken(authority, callerSignal))
    if (awaited === null) return authority.fetch(target, { ...init, credentials: 'include' })

    session.throwIfAborted()
    // A rotation may have come between the token and whoever waited for it.
    const token = authority.current() ?? awaited
    authority.sent(token.generation)
    const again = request === null ? href : addresses.clone(request)
    const response = await authority.fetch(
      target,
      signed(request, init, token, session, callerSignal),
    )
    if (response.status !== 401) return response

    const newer = await authority.replace(token, callerSignal)
    // A stream was used up by the first request. The caller gets the 401; the next request has the newer token.
    if (newer === null || init?.body instanceof ReadableStream) return response
    void response.body?.cancel().catch(() => {})
    session.throwIfAborted()
    // As above: what is sent is what the bridge holds now.
    const latest = authority.current() ?? newer
    authority.sent(latest.generation)
    return authority.fetch(again, signed(request, init, latest, session, callerSignal))
  }
}

/** Resolves with `null` when the kill switch leaves nothing but the session cookie, also while the request waits. */
async function waitForToken(
  authority: RequestAuthority,
  signal: AbortSignal | undefined,
): Promise<AccessToken | null> {
  try {
    return await authority.ready(signal)
  } catch (error) {
    if (isAuthError(error, 'ERR_COOKIE_ONLY')) return null
    throw error
  }
}

/** The caller's options with the token's header and the session's signal. */
function signed(
  request: Request | null,
  init: RequestInit | undefined,
  token: AccessToken,
  session: AbortSignal,
  callerSignal: AbortSignal | undefined,
): RequestInit {
  // Without a prototype: a getter planted on Object.prototype would otherwise be handed the headers.
  const headers = { __proto__: null } as unknown as Record<string, string>
  const given = init?.headers ?? request?.headers
  if (given !== undefined) {
    new Headers(given).forEach((value, name) => {
      headers[name] = value
    })
  }
  headers['authorization'] = `Bearer ${token.accessToken}`
  return {
    ...init,
    __proto__: null,
    headers,
    signal: callerSignal === undefined ? session : AbortSignal.any([callerSignal, session]),
  } as RequestInit
}
