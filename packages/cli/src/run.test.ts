import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { problem, startHost, type Host, type HostFaults } from './host.test.fixture.ts'
import { run } from './run.ts'

let directory = ''
let host: Host | null = null
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'token-bridge-cli-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
  await host?.close()
  host = null
})

async function start(faults: HostFaults = {}): Promise<string> {
  host = await startHost(faults)
  return host.origin
}

async function tokenBridge(...args: string[]) {
  let out = ''
  let err = ''
  const code = await run(args, {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    width: 80,
  })
  return { code, out, err }
}

const takesGet: HostFaults = {
  sync: ({ method }, good) => (method === 'GET' ? problem(401) : good),
}

describe('token-bridge doctor', () => {
  it('ends with 0 when nothing is wrong', async () => {
    const { code, out, err } = await tokenBridge('doctor', await start())

    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('0 findings, 12 checks passed.')
  })

  it('ends with 1 and a table when something is', async () => {
    const { code, out } = await tokenBridge('doctor', await start(takesGet))

    expect(code).toBe(1)
    expect(out).toMatch(/sync-get\n[^]*symptom[^]*evidence[^]*cause[^]*mend[^]*1 finding,/)
  })

  it('prints the report as JSON', async () => {
    const { code, out } = await tokenBridge('doctor', '--json', await start(takesGet))

    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      page: `${host?.origin}/`,
      findings: [{ check: 'sync-get', evidence: 'GET: 401, application/problem+json' }],
      skipped: [],
    })
  })

  it('asks the path it was given', async () => {
    const { code } = await tokenBridge('doctor', await start(), '--sync', '/token')

    expect(code).toBe(1)
    expect(host?.requests[1]?.url).toBe('/token')
  })

  it('ends with 2 and one line when it cannot run', async () => {
    const origin = await start()
    await host?.close()
    const { code, out, err } = await tokenBridge('doctor', '--json', origin)

    expect([code, out]).toEqual([2, ''])
    expect(err).toBe(`token-bridge: ${origin}/ could not be reached (ECONNREFUSED).\n`)
  })

  it('waits as long as it was told', async () => {
    const { code, err } = await tokenBridge(
      'doctor',
      await start({ page: () => null }),
      '--timeout',
      '50',
    )

    expect(code).toBe(2)
    expect(err).toContain('did not answer within 50 ms')
  })

  it.each(['0', '-1', 'soon', '1.5', '3000000000'])('refuses the timeout %s', async (timeout) => {
    const { code, err } = await tokenBridge('doctor', await start(), `--timeout=${timeout}`)

    expect(code).toBe(2)
    expect(err).toContain('--timeout')
    expect(host?.requests).toEqual([])
  })
})

describe('token-bridge keygen', () => {
  it('writes the keys and says what to do with each', async () => {
    const { code, out } = await tokenBridge('keygen', '--out', directory, '--alg', 'EdDSA')
    const files = await readdir(directory)
    const privateJwk = JSON.parse(
      await readFile(join(directory, files[0] ?? ''), 'utf8'),
    ) as Record<string, string>

    expect(code).toBe(0)
    for (const file of files) expect(out).toContain(join(directory, file))
    expect(out).toContain(privateJwk['kid'])
    expect(out).toContain('Never commit it')
    expect(out).not.toContain(privateJwk['d'])
    expect(privateJwk['crv']).toBe('Ed25519')
  })

  it('ends with 2 rather than overwrite', async () => {
    await tokenBridge('keygen', '--out', directory)
    const { code, out, err } = await tokenBridge('keygen', '--out', directory)

    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^token-bridge: .* exists already .*\n$/)
  })

  it('refuses an algorithm that it does not know', async () => {
    const { code, err } = await tokenBridge('keygen', '--out', directory, '--alg', 'HS256')

    expect(code).toBe(2)
    expect(err).toContain('ES256, EdDSA')
    expect(await readdir(directory)).toEqual([])
  })
})

describe('token-bridge sign', () => {
  let key = ''
  beforeEach(async () => {
    await tokenBridge('keygen', '--out', directory)
    key = join(directory, 'remote-signing.private.jwk.json')
    await mkdir(join(directory, 'dist'))
    await writeFile(join(directory, 'dist', 'remoteEntry.js'), 'var remote_orders = {}')
  })
  const sign = (...args: string[]) => tokenBridge('sign', join(directory, 'dist'), ...args)
  const names = ['--name', 'remote_orders', '--version', '1.4.0']

  it('writes the list and says what was signed, and until when', async () => {
    const { code, out, err } = await sign('--key', key, ...names, '--days', '30')

    expect([code, err]).toEqual([0, ''])
    expect(await readdir(join(directory, 'dist'))).toContain('token-bridge.jws')
    expect(out).toContain('Signed remote_orders 1.4.0: 1 file')
    const end = new Date(/until\n\s+(\S+)\./.exec(out)?.[1] ?? '').getTime()
    expect(Math.round((end - Date.now()) / 86_400_000)).toBe(30)
  })

  it('ends with 2 rather than replace a list, and replaces it on request', async () => {
    await sign('--key', key, ...names)
    const { code, out, err } = await sign('--key', key, ...names)

    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^token-bridge: .* exists already.* --replace\.\n$/)
    expect((await sign('--key', key, ...names, '--replace')).code).toBe(0)
  })

  it.each([
    ['does not exist', 'missing.json'],
    ['is no key', 'dist/remoteEntry.js'],
    ['is no key', 'empty.json'],
    ['this is a public one', 'remote-signing.public.jwk.json'],
    ['cannot be read (EISDIR)', 'dist'],
  ])('ends with 2 and one line when the key file %s: %s', async (reason, file) => {
    await writeFile(join(directory, 'empty.json'), '{}')
    const { code, out, err } = await sign('--key', join(directory, file), ...names)

    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(reason)
    expect(err).toMatch(/^token-bridge: [^\n]+\n$/)
  })

  it('ends with 2 and one line when the folder is not there', async () => {
    const { code, err } = await tokenBridge('sign', join(directory, 'no'), '--key', key, ...names)

    expect(code).toBe(2)
    expect(err).toMatch(/^token-bridge: .*no does not exist: build the remote first\.\n$/)
  })

  it.each([
    ['--version', ['--name', 'remote_orders']],
    ['--name', ['--version', '1.4.0']],
    ['--days', [...names, '--days', '0']],
    ['--days', [...names, '--days', '1.5']],
    ['version', ['--name', 'remote_orders', '--version', 'latest']],
  ])('ends with 2 and says %s for %j', async (option, args) => {
    const { code, err } = await sign('--key', key, ...args)

    expect(code).toBe(2)
    expect(err).toContain(option)
    expect(await readdir(join(directory, 'dist'))).toEqual(['remoteEntry.js'])
  })
})

describe('token-bridge', () => {
  it.each([[['--help']], [['doctor', '--help']], [['--version']]])(
    'ends with 0 for %j',
    async (args) => {
      const { code, out } = await tokenBridge(...args)

      expect(code).toBe(0)
      expect(out).toMatch(/^Usage: token-bridge|^\d+\.\d+\.\d+\n$/)
    },
  )

  it.each([[['unknown']], [['doctor']], [['doctor', 'a', 'b']], [['keygen', '--what']], [[]]])(
    'ends with 2 for %j',
    async (args) => {
      const { code, out, err } = await tokenBridge(...args)

      expect([code, out]).toEqual([2, ''])
      expect(err).not.toBe('')
    },
  )
})

describe('the program', () => {
  const bin = process.env['TEST_DIST'] ? '../dist/bin.js' : './bin.ts'
  const execute = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const file = fileURLToPath(new URL(bin, import.meta.url))
      execFile(
        process.execPath,
        ['--conditions=@token-bridge/source', file, ...args],
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      )
    })

  it('checks a good host', async () => {
    const { code, stdout, stderr } = await execute('doctor', await start(), '--json')

    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({ findings: [] })
  })

  it('ends with 1 for findings and with 2 for a host that is not there', async () => {
    const origin = await start(takesGet)
    const found = await execute('doctor', origin)
    await host?.close()
    const gone = await execute('doctor', origin)

    expect([found.code, gone.code]).toEqual([1, 2])
    expect(found.stdout).toContain('sync-get')
    expect(gone).toMatchObject({
      stdout: '',
      stderr: `token-bridge: ${origin}/ could not be reached (ECONNREFUSED).\n`,
    })
  })

  it('makes keys', async () => {
    expect((await execute('keygen', '--out', directory)).code).toBe(0)
    expect(await readdir(directory)).toHaveLength(2)
  })
})
