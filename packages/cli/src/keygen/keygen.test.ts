import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint, CompactSign, compactVerify, importJWK, type JWK } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keygen } from './keygen.ts'
import { SIGNING_ALGORITHMS } from './signing-key.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'token-bridge-keygen-'))
})
afterEach(() => rm(directory, { recursive: true }))

const PRIVATE = 'remote-signing.private.jwk.json'
const PUBLIC = 'remote-signing.public.jwk.json'
const read = async (file: string): Promise<JWK> => JSON.parse(await readFile(file, 'utf8')) as JWK
const modeOf = async (file: string): Promise<string> =>
  ((await stat(file)).mode & 0o777).toString(8)

describe('keygen', () => {
  it.each(SIGNING_ALGORITHMS)('writes a pair that signs and checks with %s', async (algorithm) => {
    const { kid, privateFile, publicFile } = await keygen({ directory, algorithm })
    const [privateJwk, publicJwk] = [await read(privateFile), await read(publicFile)]
    const text = new TextEncoder().encode('remote')

    const signed = await new CompactSign(text)
      .setProtectedHeader({ alg: algorithm, kid })
      .sign(await importJWK(privateJwk))
    const { payload } = await compactVerify(signed, await importJWK(publicJwk), {
      algorithms: [algorithm],
    })

    expect(payload).toEqual(text)
    expect(publicJwk).toMatchObject({ alg: algorithm, use: 'sig', kid })
    expect(privateJwk).toMatchObject({ alg: algorithm, use: 'sig', kid })
  })

  it('uses ES256 unless told otherwise', async () => {
    const { publicFile } = await keygen({ directory })

    expect(await read(publicFile)).toMatchObject({ alg: 'ES256', kty: 'EC', crv: 'P-256' })
  })

  it('names the key by its RFC 7638 thumbprint', async () => {
    const { kid, publicFile } = await keygen({ directory })

    expect(await calculateJwkThumbprint(await read(publicFile))).toBe(kid)
  })

  it('puts no private part into the public file', async () => {
    const { privateFile, publicFile } = await keygen({ directory })

    expect(Object.keys(await read(privateFile))).toContain('d')
    expect(Object.keys(await read(publicFile)).toSorted()).toEqual([
      'alg',
      'crv',
      'kid',
      'kty',
      'use',
      'x',
      'y',
    ])
  })

  it.skipIf(process.platform === 'win32')('lets only the owner read the private file', async () => {
    const { privateFile } = await keygen({ directory })

    expect(await modeOf(privateFile)).toBe('600')
  })

  it('makes the directory', async () => {
    const { privateFile } = await keygen({ directory: join(directory, 'a', 'b') })

    expect(privateFile).toBe(join(directory, 'a', 'b', PRIVATE))
    expect(await readdir(join(directory, 'a', 'b'))).toEqual([PRIVATE, PUBLIC])
  })

  it.each([PRIVATE, PUBLIC])(
    'refuses to overwrite %s, and leaves nothing else behind',
    async (name) => {
      await writeFile(join(directory, name), 'mine')

      await expect(keygen({ directory })).rejects.toMatchObject({
        code: 'ERR_CONFIG',
        message: expect.stringContaining(`${name} exists already`) as string,
      })
      expect(await readdir(directory)).toEqual([name])
      expect(await readFile(join(directory, name), 'utf8')).toBe('mine')
    },
  )

  it('makes another key every time', async () => {
    const first = await keygen({ directory: join(directory, 'first') })
    const second = await keygen({ directory: join(directory, 'second') })

    expect(first.kid).not.toBe(second.kid)
  })

  it('says when the directory is a file', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')

    await expect(keygen({ directory: file })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: `${file} cannot be made a directory (EEXIST).`,
    })
  })
})
