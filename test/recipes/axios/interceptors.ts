import { isAuthError, type AccessToken, type TokenReader } from '@token-bridge/core'
import { create, isAxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios'

const API = 'https://api.example'

/** For code that needs axios' own adapters, such as for upload progress. The token passes through axios. */
export function createClient(auth: TokenReader): AxiosInstance {
  const client = create({ baseURL: API })
  /** The generation that a request carried; once only, so that it is sent again once only. */
  const sent = new WeakMap<object, number>()
  let session = new AbortController()
  // What was asked in one session is not answered in the next. For the client's life, which is the page's.
  auth.subscribe(() => {
    if (!isOver(auth)) return
    session.abort()
    session = new AbortController()
  })

  function sign(
    config: InternalAxiosRequestConfig,
    token: AccessToken,
  ): InternalAxiosRequestConfig {
    auth.report({ generation: token.generation })
    config.headers.set('Authorization', `Bearer ${token.accessToken}`)
    return config
  }

  client.interceptors.request.use(async (config) => {
    // The token is for the API: not for whatever address is passed to axios.
    if (new URL(client.getUri(config), API).origin !== API) return config
    // Sent again, and signed with the newer token already.
    if (config.headers.has('Authorization')) return config
    const { signal } = session
    config.signal = config.signal ? AbortSignal.any([config.signal as AbortSignal, signal]) : signal
    try {
      const token = await auth.ready()
      sent.set(config, token.generation)
      return sign(config, token)
    } catch (error) {
      if (!isAuthError(error, 'ERR_COOKIE_ONLY')) throw error
      config.withCredentials = true
      return config
    }
  })

  client.interceptors.response.use(
    (response) => {
      response.config.headers.delete('Authorization')
      return response
    },
    async (error: unknown) => {
      if (!isAxiosError(error) || error.config === undefined) throw error
      const { config } = error
      // Errors are logged. This one must not bring the token along.
      config.headers.delete('Authorization')
      const generation = sent.get(config)
      if (error.response?.status !== 401 || generation === undefined) throw error
      auth.report({ generation, status: 401 })
      const newer = await newerToken(auth, generation)
      if (newer === null) throw error
      return client.request(sign(config, newer))
    },
  )
  return client
}

/** The session has ended, or the host has cut this remote off. */
const isOver = (auth: TokenReader): boolean => {
  const { status, error } = auth.snapshot()
  return status === 'signed-out' || error?.code === 'ERR_READER_REVOKED'
}

/** The token that comes after a refused one, within ten seconds; `null` when none does. */
function newerToken(auth: TokenReader, generation: number): Promise<AccessToken | null> {
  return new Promise((resolve) => {
    function look(): void {
      const token = auth.current()
      if (token !== null && token.generation > generation) finish(token)
      else if (auth.snapshot().status !== 'ready') finish(null)
    }
    function finish(token: AccessToken | null): void {
      stop()
      clearTimeout(timer)
      resolve(token)
    }
    const stop = auth.subscribe(look)
    const timer = setTimeout(finish, 10_000, null)
    look()
  })
}
