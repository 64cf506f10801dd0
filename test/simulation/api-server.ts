import type { SimulatedAnswer, SimulatedRequest } from './auth-server.ts'
import type { Provider } from './provider.ts'
import type { Timeline } from './timeline.ts'

/** The API that remotes call with the token. It knows the true time. */
export interface ApiServer {
  /** Refuses every token, valid or not, as an API with a wrong clock or a lost key does. */
  refusesAll: boolean
  handle(request: SimulatedRequest): SimulatedAnswer
}

export function createApiServer(timeline: Timeline, provider: Provider): ApiServer {
  const answer = (status: number): SimulatedAnswer => ({
    status,
    type: 'application/json',
    body: '{}',
  })
  return {
    refusesAll: false,
    handle({ path, authorization }) {
      const token = provider.tokens.get(authorization?.replace('Bearer ', '') ?? '')
      const isGood =
        token !== undefined && !token.session.isRevoked && token.expiresAt > timeline.now
      return answer(isGood && !this.refusesAll && path !== '/always-401' ? 200 : 401)
    },
  }
}
