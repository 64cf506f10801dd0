import type { Context, Handler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { problem } from './problem.ts'

/** Characters of names and values together. Below the 16 KiB at which Node itself gives up, so that the answer is ours. */
const LARGEST_HEADERS = 12_288

/** Whether the header fields are larger than anything an app needs, for an answer with 431 (RFC 6585 section 5). */
export function hasLargeHeaders(c: Context): boolean {
  const { incoming } = (c.env ?? {}) as { incoming?: { rawHeaders?: readonly string[] } }
  let size = 0
  // Node's adapter hands on what Node has read. To walk through a `Headers` makes and sorts it, at a sixth of a sync's cost.
  if (incoming?.rawHeaders !== undefined)
    for (const text of incoming.rawHeaders) size += text.length
  else for (const [name, value] of c.req.raw.headers) size += name.length + value.length
  return size > LARGEST_HEADERS
}

/**
 * A handler that refuses larger bodies, announced or not (413), and leaves the rest to another one.
 *
 * @param most - bytes.
 */
export function sizeLimit(most: number, handler: Handler): Handler {
  const tooLarge = bodyLimit({
    maxSize: most,
    onError: (c) => problem(c, { status: 413, title: 'The body is too large' }),
  })
  return async (c, next) => {
    const { headers } = c.req.raw
    const length = headers.get('content-length')
    // Not through Hono's: that looks at the body, and Node's adapter builds a whole Request for the look.
    if (length !== null && Number(length) <= most && !headers.has('transfer-encoding'))
      return handler(c, next)
    let answer: Response | undefined
    const refusal = await tooLarge(c, async () => {
      answer = await handler(c, next)
    })
    return answer ?? refusal
  }
}
