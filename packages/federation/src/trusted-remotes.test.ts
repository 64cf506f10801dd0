import { describe, expect, it } from 'vitest'
import { checkTrust, type RemoteTrust, type RemoteTrustRule } from './trusted-remotes.ts'

const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one', alg: 'ES256' }
const entry = 'https://cart.example.com/app/remoteEntry.js'
const trust = (rule: object = {}, more: object = {}): RemoteTrust => ({
  keys: [key],
  remotes: { remote_cart: { entry, ...rule } },
  ...more,
})

describe('checkTrust', () => {
  it('finds list and folder beside the entry, and names the reader like the remote', () => {
    expect(checkTrust(trust({ minVersion: '1.0.0' }))).toEqual([
      {
        name: 'remote_cart',
        reader: 'remote_cart',
        entry,
        minVersion: '1.0.0',
        base: 'https://cart.example.com/app/',
        list: 'https://cart.example.com/app/token-bridge.jws',
      },
    ])
  })

  it.each<[RegExp, RemoteTrust]>([
    [/`trust` must be an object/, null as never],
    [/`trust\.keys` must be a list/, trust({}, { keys: [] })],
    [/`trust\.keys` must be a list/, trust({}, { keys: undefined })],
    [/`trust\.keys\[0\]` must be a public JSON Web Key/, trust({}, { keys: ['key'] })],
    [
      /`trust\.keys\[0\]` must be .* this one is private/,
      trust({}, { keys: [{ ...key, d: 'd' }] }),
    ],
    [/`trust\.keys\[0\]\.kid`/, trust({}, { keys: [{ ...key, kid: undefined }] })],
    [/`trust\.keys\[1\]\.kid` must be a name of its own/, trust({}, { keys: [key, key] })],
    [
      /`trust\.keys\[0\]\.alg` must be ES256 or EdDSA/,
      trust({}, { keys: [{ ...key, alg: 'HS256' }] }),
    ],
    [/`trust\.remotes` must be an object/, trust({}, { remotes: [] })],
    [/`trust\.remotes\['remote_cart'\]\.entry` must be an absolute/, trust({ entry: '/a.js' })],
    [/\.entry` must be an absolute/, trust({ entry: 'data:text/javascript,1' })],
    [/\.entry` must be an absolute/, trust({ entry: 'https://cart.example.com/a/../b.js' })],
    [/\.entry` must be the script itself/, trust({ entry: `${entry}?v=1` })],
    [/\.entry` must be the script itself/, trust({ entry: 'https://x.example/mf-manifest.json' })],
    [/\.entry` must be the script itself/, trust({ entry: 'https://x.example/a.json/b.js' })],
    [/\.minVersion` must be a version/, trust({ minVersion: '1' })],
    [/\.reader` must be a name/, trust({ reader: '' })],
    [
      /\.minversion` must be left out; there are: entry, minVersion/,
      trust({ minversion: '1.0.0' }),
    ],
    [
      /in a folder of its own; "remote_cart"|in a folder of its own; "other"/,
      trust({}, { remotes: { remote_cart: { entry }, other: { entry } as RemoteTrustRule } }),
    ],
  ])('throws ERR_CONFIG with %s', (message, config) => {
    expect(() => checkTrust(config)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG',
        message: expect.stringMatching(message) as string,
      }) as Error,
    )
  })
})
