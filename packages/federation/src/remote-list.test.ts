import { assert as everyTime, asyncProperty, constantFrom, nat, pre } from 'fast-check'
import { CompactSign, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { LIST_TYPE, verifyRemote, type ListPayload } from './remote-list.ts'

interface Pair {
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

async function createPair(kid: string, alg: 'ES256' | 'EdDSA' = 'ES256'): Promise<Pair> {
  const pair = await generateKeyPair(alg, { extractable: true })
  return {
    privateJwk: { ...(await exportJWK(pair.privateKey)), kid, alg },
    publicJwk: { ...(await exportJWK(pair.publicKey)), kid, alg },
  }
}

const HASH = `sha384-${'a'.repeat(64)}`
const ALPHABET = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.')
const NOW = 1_800_000_000_000
const payload: ListPayload = {
  name: 'remote_orders',
  version: '1.4.0',
  type: 'module',
  global: 'remote_orders',
  entry: 'remoteEntry.js',
  iat: NOW / 1000 - 60,
  exp: NOW / 1000 + 60,
  files: { 'assets/a.js': HASH, 'remoteEntry.js': HASH },
}

async function signed(
  content: unknown,
  { privateJwk }: Pair,
  header: { alg?: string; kid?: string; typ?: string } = {},
): Promise<string> {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  const alg = privateJwk.alg ?? ''
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg, kid: privateJwk.kid ?? '', typ: LIST_TYPE, ...header })
    .sign(await importJWK(privateJwk, alg))
}

let key: Pair
let other: Pair
beforeAll(async () => {
  key = await createPair('one')
  other = await createPair('two', 'EdDSA')
})

const verify = (list: string, minVersion?: string) =>
  verifyRemote(
    list,
    { keys: [key.publicJwk, other.publicJwk] },
    { name: 'remote_orders', now: NOW, ...(minVersion !== undefined && { minVersion }) },
  )

describe('verifyRemote', () => {
  it('says what a list by either of the keys says, in milliseconds and frozen', async () => {
    for (const pair of [key, other]) {
      const list = await verify(`${await signed(payload, pair)}\n`)
      const { iat, exp, ...about } = payload
      expect(list).toEqual({ ...about, issuedAt: iat * 1000, expiresAt: exp * 1000 })
      expect(Object.isFrozen(list) && Object.isFrozen(list.files)).toBe(true)
    }
  })

  it('finds no file by a name that every object has', async () => {
    const { files } = await verify(await signed(payload, key))
    expect(files['constructor']).toBeUndefined()
  })

  it('refuses a key that the host does not know, also under the name of one that it does', async () => {
    const stranger = await createPair('one')
    const unknown = await createPair('three')
    for (const pair of [stranger, unknown])
      await expect(verify(await signed(payload, pair))).rejects.toMatchObject({
        code: 'ERR_REMOTE_SIGNATURE',
        phase: 'load',
        retryable: false,
      })
    await expect(verify(await signed(payload, unknown))).rejects.toThrow(/a key that the host/)
  })

  it.each([
    ['another type', { typ: 'JWT' }],
    ['no type', { typ: undefined }],
    ['no key', { kid: undefined }],
  ])('refuses a header with %s', async (_what, header) => {
    await expect(verify(await signed(payload, key, header as object))).rejects.toMatchObject({
      code: 'ERR_REMOTE_SIGNATURE',
    })
  })

  it('refuses a JWT that the same key has signed, and a list without a signature', async () => {
    const jwt = await new SignJWT({ ...payload })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(await importJWK(key.privateJwk, 'ES256'))
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${encode({ alg: 'none', typ: LIST_TYPE, kid: 'one' })}.${encode(payload)}.`
    for (const list of [jwt, unsigned, '', 'a.b', '<!doctype html>'])
      await expect(verify(list)).rejects.toMatchObject({ code: 'ERR_REMOTE_SIGNATURE' })
  })

  it.each<[string, unknown]>([
    ['no JSON', 'hello'],
    ['null', null],
    ['a version that is none', { ...payload, version: 'latest' }],
    ['another type', { ...payload, type: 'var' }],
    ['no global', { ...payload, global: '' }],
    ['no expiry', { ...payload, exp: undefined }],
    ['an expiry that never comes', { ...payload, exp: Number.MAX_VALUE }],
    ['no files', { ...payload, files: undefined }],
    ['an entry that is no file of it', { ...payload, entry: 'other.js' }],
    ['a hash of another kind', { ...payload, files: { 'remoteEntry.js': 'sha256-aaaa' } }],
    ['an empty hash', { ...payload, files: { ...payload.files, 'b.js': '' } }],
    ['two hashes', { ...payload, files: { ...payload.files, 'b.js': `${HASH} ${HASH}` } }],
    ['a path upwards', { ...payload, files: { ...payload.files, '../b.js': HASH } }],
    ['an absolute path', { ...payload, files: { ...payload.files, '/b.js': HASH } }],
  ])('refuses a signed list with %s', async (_what, content) => {
    await expect(verify(await signed(content, key))).rejects.toMatchObject({
      code: 'ERR_REMOTE_SIGNATURE',
    })
  })

  it('refuses a list that is over, at the very millisecond', async () => {
    const list = await signed({ ...payload, exp: NOW / 1000 }, key)
    await expect(verify(list)).rejects.toMatchObject({ code: 'ERR_REMOTE_EXPIRED' })
    await expect(
      verify(await signed({ ...payload, exp: NOW / 1000 + 1 }, key)),
    ).resolves.toBeDefined()
  })

  it("refuses another remote's list", async () => {
    const list = await signed({ ...payload, name: 'remote_reports' }, key)
    await expect(verify(list)).rejects.toMatchObject({ code: 'ERR_REMOTE_NAME' })
  })

  it.each([
    ['1.4.0', true],
    ['1.4.1', false],
    ['1.4.0-rc.1', true],
    ['2.0.0', false],
  ])('with %s as the oldest version that is accepted says %s', async (minVersion, isAccepted) => {
    const outcome = await verify(await signed(payload, key), minVersion).then(
      () => true,
      (error: { code: string }) => error.code,
    )
    expect(outcome).toBe(isAccepted || 'ERR_REMOTE_DOWNGRADE')
  })

  it('refuses every list in which one character is another', async () => {
    const list = await signed(payload, key)
    await everyTime(
      asyncProperty(
        // Of the very last character some bits stand for nothing.
        nat(list.length - 2),
        constantFrom(...ALPHABET),
        async (position, character) => {
          pre(list[position] !== character)
          const changed = list.slice(0, position) + character + list.slice(position + 1)
          await expect(verify(changed)).rejects.toMatchObject({ code: 'ERR_REMOTE_SIGNATURE' })
        },
      ),
      { numRuns: 300 },
    )
  })
})
