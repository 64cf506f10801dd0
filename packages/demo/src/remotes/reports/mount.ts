import type { ReportsAnswer } from '../../api/data.ts'
import { createApiPoll } from '../shared/api-poll.ts'
import type { Mount } from '../shared/mount-context.ts'
import { view } from './view.ts'

/** No framework: the reader's own `subscribe`, `snapshot` and `fetch`, as a team with any other one would use them. */
export const mount: Mount = (element, { auth, apiOrigin }) => {
  const poll = createApiPoll<ReportsAnswer>(auth, `${apiOrigin}/reports`)
  const call = (): void => void poll.call()
  const render = (): void => {
    const hadFocus = element.contains(document.activeElement)
    element.replaceChildren(...view(auth.snapshot(), poll.state(), call))
    // The button is a new one each time; the keyboard stays on it.
    if (hadFocus) element.querySelector('button')?.focus()
  }
  const stops = [auth.subscribe(render), poll.subscribe(render)]
  render()
  return () => {
    for (const stop of stops) stop()
    poll.stop()
    element.replaceChildren()
  }
}
