import { createRoot } from 'react-dom/client'
import { Provider } from 'react-redux'
import type { DashboardAnswer } from '../../api/data.ts'
import { createApiPoll } from '../shared/api-poll.ts'
import type { Mount } from '../shared/mount-context.ts'
import { Dashboard } from './dashboard.tsx'

export const mount: Mount = (element, { auth, store, apiOrigin }) => {
  const poll = createApiPoll<DashboardAnswer>(auth, `${apiOrigin}/dashboard`)
  const root = createRoot(element)
  root.render(
    <Provider store={store}>
      <Dashboard auth={auth} poll={poll} />
    </Provider>,
  )
  return () => {
    poll.stop()
    root.unmount()
  }
}
