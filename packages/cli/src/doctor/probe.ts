import { AuthError } from '@token-bridge/core/errors'
import { SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'
import { describeAnswer, isRedirect, mediaType, type Answer } from './answer.ts'
import { metaPolicies } from './meta-policies.ts'

/** What the host answered to each request of a check-up. Nobody is signed in: no request carries a cookie. */
export interface Probes {
  /** Address of the page, after redirects on its own host. */
  readonly page: string
  readonly sync: string
  /** Header values and `<meta>` policies of the page. */
  readonly policies: readonly string[]
  /** The page's `Content-Security-Policy-Report-Only`. */
  readonly reportOnly: string | null
  /** A request as the bridge sends it. */
  readonly signedOut: Answer
  /** … without the bridge's own header. */
  readonly withoutHeader: Answer
  /** … from a page of another site. */
  readonly crossSite: Answer
  /** … with GET. */
  readonly get: Answer
  /** The preflight of a page of another site. */
  readonly preflight: Answer
}

export interface ProbeOptions {
  readonly fetch: typeof globalThis.fetch
  readonly syncPath: string
  /** Milliseconds for one answer. */
  readonly timeout: number
}

/** Where the request of another site comes from: a name that nobody can own (RFC 2606). */
const FOREIGN_ORIGIN = 'https://other-site.invalid'

const MOST_REDIRECTS = 5

/**
 * Asks the host for its page and, in five ways, for a token.
 *
 * @throws AuthError `ERR_CONFIG` for an address that cannot be asked, `ERR_SYNC_NETWORK` when the host cannot be reached,
 * `ERR_SYNC_STATUS` or `ERR_SYNC_NOT_JSON` when what answers is no page, is busy, or leads to another host.
 */
export async function probe(address: string, options: ProbeOptions): Promise<Probes> {
  const page = await openPage(parseAddress(address), options)
  const sync = syncAddress(options.syncPath, page.url)
  const { origin } = page.url
  const proper: Readonly<Record<string, string>> = {
    accept: 'application/json',
    'content-type': 'application/json',
    origin,
    'sec-fetch-dest': 'empty',
    'sec-fetch-mode': 'cors',
    'sec-fetch-site': 'same-origin',
    [SYNC_HEADER]: SYNC_VERSION,
  }
  const foreign = { origin: FOREIGN_ORIGIN, 'sec-fetch-site': 'cross-site' }
  const { [SYNC_HEADER]: _header, ...withoutHeader } = proper
  const { 'content-type': _type, ...withoutBody } = proper
  const ask = (method: string, headers: Readonly<Record<string, string>>): Promise<Answer> =>
    askSync(sync, { method, headers, ...(method === 'POST' && { body: '{}' }) }, options)

  return {
    page: page.url.href,
    sync: sync.href,
    policies: page.policies,
    reportOnly: page.reportOnly,
    signedOut: await ask('POST', proper),
    withoutHeader: await ask('POST', withoutHeader),
    crossSite: await ask('POST', { ...proper, ...foreign }),
    get: await ask('GET', withoutBody),
    preflight: await ask('OPTIONS', {
      ...foreign,
      'access-control-request-method': 'POST',
      'access-control-request-headers': `content-type,${SYNC_HEADER.toLowerCase()}`,
    }),
  }
}

const cannotAsk = (message: string): AuthError =>
  new AuthError('ERR_CONFIG', message, { phase: 'configure' })

function parseAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw cannotAsk('The address must be a whole one, such as https://shop.example/.')
  if (url.username !== '' || url.password !== '')
    throw cannotAsk('The address must not hold a user name or a password.')
  return url
}

function syncAddress(path: string, page: URL): URL {
  const url = URL.canParse(path, page) ? new URL(path, page) : null
  if (url === null || url.origin !== page.origin)
    throw cannotAsk(
      `The sync endpoint must be a path on ${page.origin}, such as /api/auth/sync: elsewhere it would not get the session's cookie.`,
    )
  return url
}

/** For messages: without the query, which may hold anything. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`

async function send(url: URL, init: RequestInit, options: ProbeOptions): Promise<Response> {
  const { fetch, timeout } = options
  try {
    return await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    })
  } catch (cause) {
    const isTimeout = cause instanceof Error && cause.name === 'TimeoutError'
    throw new AuthError(
      'ERR_SYNC_NETWORK',
      isTimeout
        ? `${shown(url)} did not answer within ${timeout} ms.`
        : `${shown(url)} could not be reached (${faultCode(cause)}).`,
      { phase: 'sync', retryable: true, cause },
    )
  }
}

/** `ECONNREFUSED` and the like; `fetch` hides them in the cause. */
function faultCode(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const { code } = cause as { readonly code?: unknown }
  return typeof code === 'string' ? code : 'no connection'
}

function refuseBusy(url: URL, { status }: Answer): void {
  if (status !== 429 && status !== 503) return
  throw new AuthError(
    'ERR_SYNC_STATUS',
    `${shown(url)} answered ${status}: it is busy or down. Try again later.`,
    { phase: 'sync', retryable: true, status },
  )
}

async function askSync(url: URL, init: RequestInit, options: ProbeOptions): Promise<Answer> {
  const response = await send(url, init, options)
  // Not read: it may hold a token.
  await response.body?.cancel()
  refuseBusy(url, response)
  return response
}

interface Page {
  readonly url: URL
  readonly policies: readonly string[]
  readonly reportOnly: string | null
}

async function openPage(start: URL, options: ProbeOptions): Promise<Page> {
  let url = start
  for (let count = 0; count <= MOST_REDIRECTS; count += 1) {
    const response = await send(url, { headers: { accept: 'text/html' } }, options)
    const location = response.headers.get('location')
    if (!isRedirect(response) || location === null) return readPage(url, response)
    await response.body?.cancel()
    url = nextAddress(url, location)
  }
  throw notAPage(start, `redirects more than ${MOST_REDIRECTS} times`)
}

function nextAddress(url: URL, location: string): URL {
  const next = URL.canParse(location, url) ? new URL(location, url) : null
  const isSameHost =
    next !== null &&
    next.hostname === url.hostname &&
    (next.origin === url.origin || (url.protocol === 'http:' && next.protocol === 'https:'))
  if (isSameHost) return next
  throw notAPage(url, `redirects to ${next === null ? 'nowhere' : next.origin}`)
}

async function readPage(url: URL, response: Response): Promise<Page> {
  refuseBusy(url, response)
  const isPage = response.ok && mediaType(response) === 'text/html'
  if (!isPage) {
    await response.body?.cancel()
    throw notAPage(url, `answered ${describeAnswer(response)}`)
  }
  const header = response.headers.get('content-security-policy')
  const html = await response.text().catch((cause: unknown) => {
    throw new AuthError('ERR_SYNC_NETWORK', `${shown(url)} broke off its answer.`, {
      phase: 'sync',
      retryable: true,
      cause,
    })
  })
  return {
    url,
    policies: [...(header === null ? [] : [header]), ...metaPolicies(html)],
    reportOnly: response.headers.get('content-security-policy-report-only'),
  }
}

const notAPage = (url: URL, what: string): AuthError =>
  new AuthError(
    'ERR_SYNC_STATUS',
    `${shown(url)} ${what}. Give the address of a page of the host that answers without a session.`,
    { phase: 'sync' },
  )
