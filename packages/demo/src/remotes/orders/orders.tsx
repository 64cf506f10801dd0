import type { TokenReader } from '@token-bridge/core'
import { AuthProvider, useAuthToken } from '@token-bridge/react'
import { createAuthSelectors } from '@token-bridge/zustand'
import { useMemo, type ReactNode } from 'react'
import { useStore, type StoreApi } from 'zustand'
import type { Order } from '../../api/data.ts'
import { fallbacks } from '../shared/fallbacks.tsx'
import { money } from '../shared/format.ts'
import { RemotePanel } from '../shared/remote-panel.tsx'
import type { OrdersState } from './orders-store.ts'

export interface OrdersProps {
  readonly auth: TokenReader
  readonly store: StoreApi<OrdersState>
  readonly onCall: () => void
}

/** Reads the session from a Zustand store of its own, by the selectors that its reader gives. */
export function Orders({ auth, store, onCall }: OrdersProps): ReactNode {
  const snapshot = useStore(store, (state) => state.auth)
  const { answers, count, data } = useStore(store, (state) => state.poll)
  return (
    <RemotePanel name="orders" auth={snapshot} answers={answers} count={count} onCall={onCall}>
      <AuthProvider reader={auth} {...fallbacks}>
        {data === null ? (
          <p className="empty">No data yet.</p>
        ) : (
          <OrderTable orders={data.orders} />
        )}
        <TwoWays auth={auth} store={store} />
      </AuthProvider>
    </RemotePanel>
  )
}

function OrderTable({ orders }: { readonly orders: readonly Order[] }): ReactNode {
  return (
    <table className="orders">
      <tbody>
        {orders.map((order) => (
          <tr key={order.id}>
            <th scope="row">{order.id}</th>
            <td>{order.customer}</td>
            <td>{money(order.total)}</td>
            <td>
              <span className="tag" data-state={order.state}>
                {order.state}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function TwoWays({ auth, store }: Pick<OrdersProps, 'auth' | 'store'>): ReactNode {
  const { selectAuthToken } = useMemo(() => createAuthSelectors(auth), [auth])
  const byHook = useAuthToken()
  const bySelector = useStore(store, selectAuthToken)
  if (byHook === null) return null
  const agrees = byHook === bySelector
  return (
    <p className="note" data-testid="remote-orders-selector" data-agrees={agrees}>
      {agrees ? '✓ one token by ' : '✗ different tokens by '}
      <code>useAuthToken()</code> and <code>useStore(store, selectAuthToken)</code>
    </p>
  )
}
