import { configureStore } from '@reduxjs/toolkit'
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query'
import type { TokenReader } from '@token-bridge/core'

interface Order {
  readonly id: number
  readonly customer: string
}

export const createOrdersApi = (auth: Pick<TokenReader, 'fetch'>) =>
  createApi({
    reducerPath: 'ordersApi',
    baseQuery: fetchBaseQuery({ baseUrl: 'https://api.example', fetchFn: auth.fetch }),
    endpoints: (build) => ({
      orders: build.query<readonly Order[], number>({ query: (page) => `/orders?page=${page}` }),
    }),
  })

/** A remote's own store. What was loaded in one session is not shown in the next. */
export function createOrdersStore(auth: TokenReader) {
  const api = createOrdersApi(auth)
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (defaults) => defaults().concat(api.middleware),
  })
  const stop = auth.subscribe(() => {
    if (auth.snapshot().status === 'signed-out') store.dispatch(api.util.resetApiState())
  })
  return { api, store, stop }
}
