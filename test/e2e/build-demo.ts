import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../packages/demo/src/build/main.ts', import.meta.url))

/** Builds the demo once before the tests, outside of them: bundler plugins behave differently below a test runner. */
export function setup(): void {
  const { VITEST: _vitest, NODE_ENV: _mode, ...env } = process.env
  execFileSync(process.execPath, ['--conditions=@token-bridge/source', main], {
    env,
    stdio: 'inherit',
  })
}
