import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { problem } from './problem.ts'

/** Characters of names and values together. Below the 16 KiB at which Node itself gives up, so that the answer is ours. */
const LARGEST_HEADERS = 12_288

/** Middleware that refuses requests whose header fields are larger than anything an app needs (431, RFC 6585 section 5). */
export function headerLimit(): MiddlewareHandler {
  return async (c, next) => {
    let size = 0
    for (const [name, value] of c.req.raw.headers) size += name.length + value.length
    if (size > LARGEST_HEADERS)
      return problem(c, { status: 431, title: 'The header fields are too large' })
    return next()
  }
}

/**
 * Middleware that refuses larger bodies, announced or not (413).
 *
 * @param most - bytes.
 */
export function sizeLimit(most: number): MiddlewareHandler {
  const tooLarge = bodyLimit({
    maxSize: most,
    onError: (c) => problem(c, { status: 413, title: 'The body is too large' }),
  })
  return async (c, next) => {
    const { headers } = c.req.raw
    const length = headers.get('content-length')
    // Not through Hono's: that looks at the body, and Node's adapter builds a whole Request for the look.
    const isSmall = length !== null && Number(length) <= most && !headers.has('transfer-encoding')
    return isSmall ? next() : tooLarge(c, next)
  }
}
