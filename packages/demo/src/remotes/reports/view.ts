import type { AuthSnapshot } from '@token-bridge/core/state'
import type { ReportsAnswer } from '../../api/data.ts'
import type { PollState } from '../shared/api-poll.ts'
import { timeOfDay } from '../shared/format.ts'
import { element } from './element.ts'

const id = (part: string): string => `remote-reports-${part}`

/** What stands in place of the data, by the state of the session. */
const EMPTY: Readonly<Record<AuthSnapshot['status'], string>> = {
  loading: 'Waiting for the session…',
  ready: 'No data yet.',
  'signed-out': 'Signed out. Nothing is kept here.',
  maintenance: 'Sign-in is being maintained. This continues by itself.',
  error: 'No session.',
}

/** The elements for a state; made anew for each, which is plenty for four numbers. */
export function view(
  auth: AuthSnapshot,
  { data, answers, count }: PollState<ReportsAnswer>,
  onCall: () => void,
): readonly Node[] {
  const last = answers[0]
  const call = element(
    'button',
    { type: 'button', class: 'quiet', 'data-testid': id('call') },
    'Call API',
  )
  call.disabled = auth.expiresAt === null
  call.addEventListener('click', onCall)

  return [
    element(
      'dl',
      { class: 'facts' },
      fact(
        'Status',
        element(
          'span',
          { class: 'pill', 'data-status': auth.status, 'data-testid': id('status') },
          auth.status,
        ),
      ),
      fact(
        'Generation',
        element(
          'span',
          { class: 'number', 'data-testid': id('generation') },
          String(auth.generation),
        ),
      ),
      fact(
        'Last answer',
        element(
          'span',
          {
            class: 'number',
            'data-ok': last && String(last.ok),
            'data-status': last?.status,
            'data-testid': id('last-answer'),
          },
          last?.status ?? '–',
        ),
        ' ',
        element('small', {}, last === undefined ? '' : timeOfDay(last.at)),
      ),
    ),
    element(
      'div',
      { class: 'content', 'data-testid': id('data') },
      data === null || (auth.status !== 'ready' && auth.expiresAt === null)
        ? element('p', { class: 'empty', role: 'status' }, EMPTY[auth.status])
        : chart(data),
      ...(auth.expiresAt === null
        ? []
        : [
            element(
              'p',
              { class: 'note' },
              '✓ the reader alone: ',
              element('code', {}, 'auth.subscribe'),
              ', ',
              element('code', {}, 'auth.snapshot()'),
              ' and ',
              element('code', {}, 'auth.fetch'),
            ),
          ]),
    ),
    element(
      'footer',
      { class: 'calls' },
      element(
        'ol',
        {
          class: 'answers',
          'aria-label': 'Last answers of the API, newest first',
          'data-testid': id('answers'),
          'data-count': String(count),
        },
        ...answers.map((answer) =>
          element(
            'li',
            { 'data-ok': String(answer.ok), 'data-status': answer.status },
            answer.status,
          ),
        ),
      ),
      call,
    ),
  ]
}

const fact = (term: string, ...value: readonly (Node | string)[]): HTMLElement =>
  element('div', {}, element('dt', {}, term), element('dd', {}, ...value))

function chart({ regions }: ReportsAnswer): HTMLElement {
  return element(
    'dl',
    { class: 'bars' },
    ...regions.map(({ name, sales }) =>
      element(
        'div',
        {},
        element('dt', {}, name),
        element(
          'dd',
          {},
          element('meter', { min: '0', max: '100', value: String(sales), 'aria-label': name }),
          element('span', {}, String(sales)),
        ),
      ),
    ),
  )
}
