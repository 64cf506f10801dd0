import { defineConfig } from 'vitest/config'

// `TEST_DIST=1` runs the same suites against the built packages.
const source = process.env['TEST_DIST'] ? [] : ['@token-bridge/source']

const react18 = `${import.meta.dirname}/test/react-18/node_modules/`

const unit = (name: string, environment: 'node' | 'happy-dom' = 'node') => ({
  extends: true as const,
  test: { name, environment, include: [`packages/${name}/src/**/*.test.{ts,tsx}`] },
})

/** For the recipe: compiles its components. */
const svelteComponents = {
  name: 'svelte-components',
  async transform(component: string, filename: string) {
    if (!filename.endsWith('.svelte')) return
    const { compile } = await import('svelte/compiler')
    return compile(component, { filename, generate: 'client' }).js
  },
}

export default defineConfig({
  resolve: { conditions: [...source, 'module', 'browser', 'development|production'] },
  ssr: { resolve: { conditions: [...source, 'module', 'node', 'development|production'] } },
  test: {
    restoreMocks: true,
    // Two cores that build, browse and test at once are slow, not wrong.
    testTimeout: 20_000,
    projects: [
      unit('core'),
      unit('redux'),
      unit('zustand'),
      unit('react', 'happy-dom'),
      {
        // The oldest React that is supported, with the same suite.
        extends: true,
        resolve: {
          alias: [
            { find: /^(react|react-dom)(\/.*)?$/, replacement: `${react18}$1$2` },
            // Its ESM build: what its CommonJS one requires cannot be aliased.
            {
              find: /^@testing-library\/react$/,
              replacement: '@testing-library/react/dist/@testing-library/react.esm.js',
            },
          ],
        },
        test: {
          name: 'react-18',
          env: { REACT: '18.2' },
          environment: 'happy-dom',
          include: ['packages/react/src/**/*.test.tsx'],
          server: { deps: { inline: ['@testing-library/react'] } },
        },
      },
      unit('federation'),
      {
        ...unit('server'),
        test: { ...unit('server').test, globalSetup: ['test/replicas/redis-notice.ts'] },
      },
      unit('testing'),
      unit('cli'),
      unit('demo'),
      {
        extends: true,
        test: { name: 'integration', include: ['test/integration/**/*.test.{ts,tsx}'] },
      },
      {
        extends: true,
        test: { name: 'field-notes', include: ['test/field-notes/**/*.test.{ts,tsx}'] },
      },
      {
        extends: true,
        plugins: [svelteComponents],
        test: {
          name: 'recipes',
          environment: './test/recipes/page-environment.ts',
          include: ['test/recipes/**/*.test.{ts,tsx}'],
          server: { deps: { inline: ['svelte'] } },
        },
      },
      {
        extends: true,
        test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'replicas',
          include: ['test/replicas/**/*.test.ts'],
          globalSetup: ['test/replicas/redis-notice.ts'],
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'trust',
          include: ['test/trust/**/*.test.ts'],
          globalSetup: ['test/trust/build-remotes.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'sharing',
          include: ['test/sharing/**/*.test.ts'],
          globalSetup: ['test/sharing/build-fixtures.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: { name: 'storage-guard', include: ['test/storage-guard/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/build-demo.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
    ],
    coverage: {
      include: ['packages/*/src/**'],
      exclude: ['**/index.ts', '**/*.test-d.ts', '**/*.test.*', 'packages/demo/**'],
    },
  },
})
