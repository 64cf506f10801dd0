import { defineConfig } from 'vitest/config'
import stryker from './stryker.config.js'

/** A mutant has to be killed by the tests beside its file: what a test of the whole bridge notices too is no credit. */
export default defineConfig({
  resolve: { conditions: ['@token-bridge/source'] },
  test: {
    restoreMocks: true,
    include: stryker.mutate.map((file) => file.replace(/\.ts$/, '.test.ts')),
  },
})
