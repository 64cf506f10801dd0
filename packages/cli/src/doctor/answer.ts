import { printable } from './printable.ts'

/** What a check looks at: never the body, which may hold a token. */
export type Answer = Pick<Response, 'status' | 'headers'>

/** The media type without its parameters; empty when there is none. */
export const mediaType = ({ headers }: Answer): string =>
  (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''

/** JSON, or a format on top of it such as `application/problem+json` (RFC 6839). */
export const isJson = (answer: Answer): boolean =>
  /^application\/(?:[^+\s]+\+)?json$/.test(mediaType(answer))

export const isRedirect = ({ status }: Answer): boolean => status >= 300 && status < 400

/** Whether the endpoint itself turned the request down. 401 is none: a request that is in order gets that too. */
export const isRefusal = ({ status }: Answer): boolean =>
  status >= 400 && status < 500 && status !== 401

/** Status, type and, for a redirect, the target without its query, which may hold a state or a code. */
export function describeAnswer(answer: Answer): string {
  const { status, headers } = answer
  const type = mediaType(answer) === '' ? 'no content type' : printable(mediaType(answer))
  const location = headers.get('location')
  const target = location === null ? '' : ` to ${printable(location.split(/[?#]/)[0] ?? '')}`
  return `${status}${target}, ${type}`
}

/** `Name: value` as the answer has it, or that it has none. */
export const describeHeader = ({ headers }: Answer, name: string): string =>
  `${name}: ${printable(headers.get(name) ?? '(none)')}`
