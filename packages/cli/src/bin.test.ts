import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importJWK, jwtVerify, SignJWT, type JWK } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'

const bin = fileURLToPath(new URL('bin.ts', import.meta.url))

/** Runs the program as a terminal does. */
function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@token-bridge/source', bin, ...args],
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err })
      },
    )
  })
}

let cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(cleanups.map((cleanup) => cleanup()))
  cleanups = []
})

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`
}

/** A host as it should be. */
const healthy: RequestListener = (request, response) => {
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; script-src 'self'; connect-src 'self'",
  )
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  if (request.url !== '/api/auth/sync') return response.end('<!doctype html>')
  const { origin, host } = request.headers
  const isOwn =
    request.headers['x-token-bridge'] === '1' &&
    request.headers['sec-fetch-site'] === 'same-origin' &&
    origin === `http://${host}`
  response.setHeader('content-type', 'application/problem+json')
  response.statusCode = isOwn ? 401 : 403
  return response.end('{}')
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'token-bridge-'))
  cleanups.push(() => rm(path, { recursive: true }))
  return path
}

describe('token-bridge doctor', () => {
  it('finds nothing wrong with a healthy host and exits with 0', async () => {
    const url = await serve(healthy)
    expect(await run('doctor', url)).toEqual({
      code: 0,
      out: `${url}: nothing found in 4 checks.\n`,
      err: '',
    })
  })

  it('says symptom, evidence, cause and mend of what it finds, and exits with 1', async () => {
    const { code, out } = await run(
      'doctor',
      await serve((_request, response) => response.end('<!doctype html>')),
    )
    expect(code).toBe(1)
    for (const word of [
      '✗ sync-answers',
      '✗ sync-is-guarded',
      '✗ sync-is-private',
      '✗ page-has-policy',
      'symptom',
      'evidence',
      'cause',
      'mend',
    ]) {
      expect(out).toContain(word)
    }
    expect(out).toContain('4 of 4 checks found something')
  })

  it('prints findings as JSON', async () => {
    const { out } = await run(
      'doctor',
      '--json',
      await serve((_request, response) => response.end()),
    )
    const { findings } = JSON.parse(out) as { findings: { check: string }[] }
    expect(findings.map(({ check }) => check)).toContain('sync-answers')
  })

  it.each([
    ['a host that is not there', ['doctor', 'http://127.0.0.1:9/'], /could not be reached/],
    ['an address that is not one', ['doctor', 'app.example.com'], /whole address/],
    ['no address', ['doctor'], /missing required argument/],
    ['a command that is not one', ['frobnicate'], /unknown command/],
  ])('says one line for %s and exits with 2', async (_name, args, line) => {
    const { code, out, err } = await run(...args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(err).toMatch(line)
  })
})

describe('token-bridge keygen', () => {
  it.each(['ES256', 'EdDSA'])(
    'writes a pair of %s keys that fit, the private one for its owner only',
    async (alg) => {
      const out = await folder()
      expect((await run('keygen', '--out', out, '--alg', alg)).code).toBe(0)
      const read = async (name: string) =>
        JSON.parse(await readFile(join(out, `remote-signing.${name}.jwk.json`), 'utf8')) as JWK
      const [secret, open] = [await read('private'), await read('public')]
      expect(open).not.toHaveProperty('d')
      expect(open.kid).toBe(secret.kid)
      const token = await new SignJWT({})
        .setProtectedHeader({ alg })
        .sign(await importJWK(secret, alg))
      await expect(jwtVerify(token, await importJWK(open, alg))).resolves.toMatchObject({
        protectedHeader: { alg },
      })
      expect((await stat(join(out, 'remote-signing.private.jwk.json'))).mode & 0o777).toBe(0o600)
    },
  )

  it('never overwrites a key', async () => {
    const out = await folder()
    await run('keygen', '--out', out)
    const before = await readFile(join(out, 'remote-signing.private.jwk.json'), 'utf8')
    const { code, err } = await run('keygen', '--out', out)
    expect(code).toBe(2)
    expect(err).toMatch(/^token-bridge: .* exists already, and a key is never overwritten\.\n$/)
    expect(await readFile(join(out, 'remote-signing.private.jwk.json'), 'utf8')).toBe(before)
  })
})
