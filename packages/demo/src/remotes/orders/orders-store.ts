import type { TokenReader } from '@token-bridge/core'
import type { AuthSnapshot } from '@token-bridge/core/state'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { devtools } from 'zustand/middleware'
import type { OrdersAnswer } from '../../api/data.ts'
import type { ApiPoll, PollState } from '../shared/api-poll.ts'

/** The state of this remote: what the host says of the session, without the token, and what the API answered. */
export interface OrdersState {
  readonly auth: AuthSnapshot
  readonly poll: PollState<OrdersAnswer>
}

export interface OrdersStore {
  readonly store: StoreApi<OrdersState>
  readonly stop: () => void
}

export function createOrdersStore(auth: TokenReader, poll: ApiPoll<OrdersAnswer>): OrdersStore {
  const store = createStore<OrdersState>()(
    devtools(() => ({ auth: auth.snapshot(), poll: poll.state() }), {
      name: 'remote_orders',
      enabled: true,
    }),
  )
  const stops = [
    auth.subscribe(() => store.setState({ auth: auth.snapshot() })),
    poll.subscribe(() => store.setState({ poll: poll.state() })),
  ]
  return Object.freeze<OrdersStore>({
    store,
    stop() {
      for (const stop of stops) stop()
    },
  })
}
