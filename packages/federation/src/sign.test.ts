import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { decodeProtectedHeader, exportJWK, generateKeyPair, type JWK } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LIST_FILE, signRemote, verifyRemote, type SignRemoteOptions } from './sign.ts'

let folder = ''
let privateJwk: JWK
let publicJwk: JWK

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const about = { kid: 'one', alg: 'ES256' }
  privateJwk = { ...(await exportJWK(pair.privateKey)), ...about }
  publicJwk = { ...(await exportJWK(pair.publicKey)), ...about }
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-bridge-sign-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'remoteEntry.js'), 'var remote_orders = {}')
  await writeFile(join(folder, 'assets/z.js'), 'z')
  await writeFile(join(folder, 'assets/a b.css'), 'a')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const NAMES = { name: 'remote_orders', version: '1.4.0' }
const sign = (options: Partial<SignRemoteOptions> = {}, key: JWK = privateJwk) =>
  signRemote(folder, key, { ...NAMES, ...options })
const hashOf = (text: string): string =>
  `sha384-${createHash('sha384').update(text).digest('base64')}`
const refusal = (message: RegExp) => ({
  code: 'ERR_CONFIG',
  message: expect.stringMatching(message) as string,
})

describe('signRemote', () => {
  it('writes a list that is verified, with the hash of every file, in the order of their paths', async () => {
    const before = Date.now()
    const { file, kid, list } = await sign()
    const text = await readFile(file, 'utf8')
    const verified = await verifyRemote(text, { keys: [publicJwk] }, { name: 'remote_orders' })

    expect([file, kid]).toEqual([join(folder, LIST_FILE), 'one'])
    expect(decodeProtectedHeader(text)).toEqual({
      alg: 'ES256',
      kid: 'one',
      typ: 'token-bridge-remote+jws',
    })
    expect({ ...verified, files: { ...verified.files } }).toEqual(list)
    expect(list).toMatchObject({
      ...NAMES,
      type: 'global',
      global: 'remote_orders',
      entry: 'remoteEntry.js',
    })
    expect(Object.entries(list.files)).toEqual([
      ['assets/a b.css', hashOf('a')],
      ['assets/z.js', hashOf('z')],
      ['remoteEntry.js', hashOf('var remote_orders = {}')],
    ])
    expect(list.expiresAt - before).toBeGreaterThan(90 * 86_400_000 - 2_000)
  })

  it('signs with EdDSA too, and names a key without a name by its thumbprint', async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true })
    const { kid, file } = await sign({}, await exportJWK(pair.privateKey))
    const keys = [{ ...(await exportJWK(pair.publicKey)), kid, alg: 'EdDSA' }]

    expect(kid).toMatch(/^[\w-]{43}$/)
    await expect(
      verifyRemote(await readFile(file, 'utf8'), { keys }, { name: 'remote_orders' }),
    ).resolves.toMatchObject(NAMES)
  })

  it('knows a module from a script by its syntax, whatever its text quotes', async () => {
    await writeFile(join(folder, 'remoteEntry.js'), 'const init = 1; export { init }')
    expect((await sign()).list.type).toBe('module')
    await writeFile(join(folder, 'remoteEntry.js'), 'var text = "export { init }"')
    expect((await sign({ replace: true })).list.type).toBe('global')
  })

  it('runs nothing of what it signs', async () => {
    await writeFile(join(folder, 'remoteEntry.js'), 'globalThis.ranWhileSigning = true')
    await sign()
    expect(globalThis).not.toHaveProperty('ranWhileSigning')
  })

  it('hashes a large file without holding it', async () => {
    const size = 300 * 1024 * 1024
    const handle = await open(join(folder, 'large.bin'), 'w')
    await handle.truncate(size)
    await handle.close()
    const before = process.memoryUsage().rss
    await sign()
    expect(process.memoryUsage().rss - before).toBeLessThan(size / 2)
  })

  it('leaves a list that is there alone, and replaces it when told to', async () => {
    await sign()
    const first = await readFile(join(folder, LIST_FILE), 'utf8')
    await expect(sign({ version: '1.5.0' })).rejects.toMatchObject(refusal(/exists already/))
    expect(await readFile(join(folder, LIST_FILE), 'utf8')).toBe(first)

    const { list } = await sign({ version: '1.5.0', replace: true })
    expect(list.version).toBe('1.5.0')
    expect(Object.keys(list.files)).not.toContain(LIST_FILE)
  })

  it('takes an end as a time and as a span, and not both', async () => {
    const expiresAt = Date.now() + 5_000
    expect((await sign({ expiresAt })).list.expiresAt).toBe(Math.floor(expiresAt / 1000) * 1000)
    for (const options of [
      { expiresAt, expiresIn: 5_000 },
      { expiresAt: Date.now() - 1 },
      { expiresIn: 0 },
      { expiresIn: Number.NaN },
    ])
      await expect(sign({ ...options, replace: true })).rejects.toMatchObject(
        refusal(/expiresIn.*expiresAt/),
      )
  })

  it.each<[RegExp, Partial<SignRemoteOptions>]>([
    [/`name`/, { name: '' }],
    [/`version`/, { version: 'latest' }],
    [/has no main\.js directly in it/, { entry: 'main.js' }],
    [/has no assets\/z\.js directly in it/, { entry: 'assets/z.js' }],
  ])('says %s', async (message, options) => {
    await expect(sign(options)).rejects.toMatchObject(refusal(message))
  })

  it('refuses what is no private key for signing, and quotes nothing of it', async () => {
    await expect(sign({}, publicJwk)).rejects.toMatchObject(refusal(/this is a public one/))
    const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ'
    for (const key of [
      { kty: 'oct', k: secret },
      { kty: 'EC', crv: 'P-256', d: secret, x: secret, y: secret },
      { ...privateJwk, alg: 'RS256' },
    ] as JWK[]) {
      const error: unknown = await sign({}, key).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject(refusal(/private JSON Web Key/))
      expect(inspect(error)).not.toContain(secret)
    }
  })

  it('refuses a folder that is not there, one that is a file, and an empty one', async () => {
    const at = (path: string) => signRemote(join(folder, path), privateJwk, NAMES)
    await mkdir(join(folder, 'empty'))
    await expect(at('missing')).rejects.toMatchObject(refusal(/does not exist: build/))
    await expect(at('remoteEntry.js')).rejects.toMatchObject(refusal(/no folder.*ENOTDIR/))
    await expect(at('empty')).rejects.toMatchObject(refusal(/is empty: build/))
  })

  it.skipIf(process.platform === 'win32').each([
    ['to a file elsewhere', 'link.js'],
    ['to a folder', 'linked'],
    ['in the place of the list', LIST_FILE],
  ])('refuses a symbolic link %s', async (_where, name) => {
    const outside = await mkdtemp(join(tmpdir(), 'token-bridge-outside-'))
    const target = name === 'linked' ? outside : join(outside, 'secret.js')
    await writeFile(join(outside, 'secret.js'), 'secret')
    await symlink(target, join(folder, name))
    await expect(sign({ replace: true })).rejects.toMatchObject(refusal(/symbolic link/))
    expect(await readFile(join(outside, 'secret.js'), 'utf8')).toBe('secret')
    await rm(outside, { recursive: true })
  })
})
