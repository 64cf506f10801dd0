import type { Context } from 'hono'
import { problem } from './problem.ts'

/** Answers 429 (RFC 6585 section 4). @param wait - milliseconds. */
export function tooMany(c: Context, wait: number): Response {
  return problem(
    c,
    { status: 429, title: 'Too many requests', detail: 'The session is kept.' },
    { 'Retry-After': String(Math.ceil(wait / 1000)) },
  )
}
