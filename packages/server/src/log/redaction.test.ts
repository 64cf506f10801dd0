import { describe, expect, it } from 'vitest'
import { createSecretId } from '../secret-id.ts'
import { redactingLogger } from './redaction.ts'

function logged(line: string, fields = {}, secrets: string[] = []) {
  const said: unknown[][] = []
  const take = (...words: unknown[]) => void said.push(words)
  redactingLogger({ info: take, warn: take, error: take }, secrets).warn(line, fields)
  return said
}

describe('redactingLogger', () => {
  it('leaves our own lines and fields as they are', () => {
    const line = '[auth] POST /api/auth/backchannel-logout failed: TypeError'
    const fields = { event: 'backchannel-logout-refused', code: 'temporarily_unavailable', n: 7 }
    expect(logged(line, fields)).toEqual([[line, fields]])
  })

  it.each([
    ['a session id', createSecretId()],
    ['a JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'],
    ['a hash in hexadecimal', 'd2a84f4b8b650937ec8f73cd8be2c74add5a911b'],
    ['a UUID', '2f1acc6c-3a60-4a5e-9a3e-0c5a4b1ff3a1'],
  ])('replaces %s, wherever it stands', (_name, secret) => {
    const [words] = logged(`failed: ${secret}!`, { code: `x=${secret}` })
    expect(words).toEqual(['failed: [redacted]!', { code: expect.any(String) as string }])
    expect(JSON.stringify(words)).not.toContain(secret)
  })

  it('replaces secrets that it was told of, whatever they look like', () => {
    expect(logged('a hunter b', { code: 'hunter' }, ['hunter'])).toEqual([
      ['a [redacted] b', { code: '[redacted]' }],
    ])
  })

  it('finds a secret at the place where a text is cut', () => {
    const [words] = logged('-'.repeat(495) + 'sesame', {}, ['sesame'])
    expect(JSON.stringify(words)).not.toContain('sesa')
  })

  it('keeps a line one line, and short', () => {
    const [words] = logged(`one\r\n[auth] two\u2028${'three '.repeat(1_000)}`)
    expect(words?.[0]).toMatch(/^[^\r\n\u2028]{500}$/)
  })

  it('harms nobody when the logger throws', () => {
    const broken = () => {
      throw new Error('disk full')
    }
    const logger = redactingLogger({ info: broken, warn: broken, error: broken }, [])
    expect(() => logger.error('x')).not.toThrow()
  })
})
