import type { Context } from 'hono'
import type { Problem } from './problem.ts'

/**
 * Reads the body as text. One that was announced and is not there any more was read by a body parser of the server that
 * these routes are mounted in; to take it for an empty one would be an answer to another question.
 */
export async function readBody(c: Context): Promise<string | Problem> {
  const body = await c.req.text().catch(() => undefined)
  if (body !== undefined && (body !== '' || !c.req.raw.headers.has('transfer-encoding')))
    return body
  return {
    status: 500,
    title: 'The body cannot be read',
    detail: 'Mount the auth routes before every body parser.',
  }
}
