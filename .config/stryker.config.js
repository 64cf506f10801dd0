/** The parts of core that only compute: what goes in decides what comes out. */
const pureFiles = [
  'abort',
  'clock',
  'flags/damping',
  'interop-observable',
  'listeners',
  'rotation/schedule',
  'selectors',
  'state',
  'tabs/signal',
  'telemetry/log-line',
  'token',
  'unavailable',
  'vault',
  'web-addresses',
  'wire',
]

export default {
  mutate: pureFiles.map((file) => `packages/core/src/${file}.ts`),
  testRunner: 'vitest',
  vitest: { configFile: '.config/stryker.vitest.config.js' },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // Stryker reads that file with the compiler's JavaScript API, which TypeScript 7 does not have. Nothing here needs it.
  tsconfigFile: '',
  tempDirName: '.cache/stryker',
  reporters: ['clear-text', 'html', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false },
  htmlReporter: { fileName: '.cache/mutation.html' },
  jsonReporter: { fileName: '.cache/mutation.json' },
  thresholds: { high: 95, low: 85, break: 85 },
}
