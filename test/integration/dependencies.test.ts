import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const packages = new URL('../../packages/', import.meta.url)

/** Which of our own packages (and entries) each package may import, and which foreign ones. */
const ALLOWED: Readonly<Record<string, { own: RegExp; foreign: RegExp }>> = {
  core: { own: /^$/, foreign: /^(rxjs|cockatiel|jose|@opentelemetry\/api)$/ },
  redux: { own: /^@token-bridge\/core(\/|$)/, foreign: /^@reduxjs\/toolkit$/ },
  zustand: { own: /^@token-bridge\/core(\/|$)/, foreign: /^zustand(\/|$)/ },
  react: { own: /^@token-bridge\/core(\/|$)/, foreign: /^react$/ },
  federation: { own: /^@token-bridge\/core(\/|$)/, foreign: /^(@module-federation\/|jose$|node:)/ },
  server: {
    own: /^@token-bridge\/core\/(wire|errors)$/,
    foreign: /^(hono(\/|$)|jose$|openid-client$|node:)/,
  },
  testing: { own: /^@token-bridge\/core(\/|$)/, foreign: /^(msw|rxjs)(\/|$)/ },
  cli: { own: /^@token-bridge\/(core|federation)(\/|$)/, foreign: /^(commander|jose|node:.+)$/ },
}

function imports(name: string): { file: string; specifier: string }[] {
  const folder = new URL(`${name}/src/`, packages)
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.includes('.test'))
    .flatMap((file) =>
      [
        ...readFileSync(new URL(file, folder), 'utf8').matchAll(
          /^(?:import|export)\s[^'"`]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm,
        ),
      ].map((match) => ({ file, specifier: (match[1] ?? match[2] ?? match[3]) as string })),
    )
    .filter(({ specifier }) => !specifier.startsWith('.'))
}

describe('the dependency direction', () => {
  it('names every published package', () => {
    const published = readdirSync(packages).filter((name) => name !== 'demo')
    expect(published.toSorted()).toEqual(Object.keys(ALLOWED).toSorted())
  })

  it.each(Object.entries(ALLOWED))(
    '%s imports only what the design lets it',
    (name, { own, foreign }) => {
      const found = imports(name)
      expect(found.length).toBeGreaterThan(0)
      const wrong = found.filter(
        ({ specifier }) =>
          !(specifier.startsWith('@token-bridge/') ? own : foreign).test(specifier),
      )
      expect(wrong).toEqual([])
    },
  )

  it('keeps RxJS to the edge of core: the path of the token has none', () => {
    const files = imports('core')
      .filter(({ specifier }) => specifier === 'rxjs')
      .map(({ file }) => file)
    expect(files).toEqual(['bridge.ts'])
  })

  it('takes nothing but types from OpenTelemetry', () => {
    const source = readFileSync(new URL('core/src/telemetry/otel.ts', packages), 'utf8')
    const imported = source.match(/^import [^'"]*from '@opentelemetry\/api'$/gm)
    expect(imported).toEqual([expect.stringMatching(/^import type \{/)])
  })

  it('keeps Node out of what federation runs in the page', () => {
    const files = imports('federation')
      .filter(({ specifier }) => specifier.startsWith('node:'))
      .map(({ file }) => file)
    expect(files).toContain('sign.ts')
    expect(files.filter((file) => !['config.ts', 'sign.ts'].includes(file))).toEqual([])
  })

  it('keeps jose out of the main entry', () => {
    const files = imports('core')
      .filter(({ specifier }) => specifier === 'jose')
      .map(({ file }) => file)
    expect(files).toEqual(['jwt.ts'])
  })
})
