import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const files = process.env['TEST_DIST'] ? ['src/index.ts', 'dist/index.js'] : ['src/index.ts']

it.each(files)('%s tells a bundler of server components that this is for the client', (file) => {
  const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
  expect(text).toMatch(/^(['"])use client\1;?\n/)
})
