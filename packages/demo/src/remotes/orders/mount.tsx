import { createRoot } from 'react-dom/client'
import type { OrdersAnswer } from '../../api/data.ts'
import { createApiPoll } from '../shared/api-poll.ts'
import type { Mount } from '../shared/mount-context.ts'
import { createOrdersStore } from './orders-store.ts'
import { Orders } from './orders.tsx'

export const mount: Mount = (element, { auth, apiOrigin }) => {
  const poll = createApiPoll<OrdersAnswer>(auth, `${apiOrigin}/orders`)
  const { store, stop } = createOrdersStore(auth, poll)
  const root = createRoot(element)
  root.render(<Orders auth={auth} store={store} onCall={() => void poll.call()} />)
  return () => {
    stop()
    poll.stop()
    root.unmount()
  }
}
