/**
 * `npm run api`: writes what each package's built declarations export to `docs/api`, one report for each entry, so a public
 * change shows in the diff. With `--check` it writes nothing and fails when a report is not what the build says. Both fail
 * when an export has no docblock.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

interface Manifest {
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string | { readonly types: string }>>
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const root = new URL('../', import.meta.url).pathname
const reports = `${root}docs/api/`
const temporary = `${root}node_modules/.cache/api/`
const problems: string[] = []
const written = new Set<string>()

function report(folder: string, name: string, types: string): void {
  const file = `${name}.api.md`
  written.add(file)
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: `${folder}package.json`,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: `${folder}${types}`,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023', 'dom', 'dom.iterable', 'esnext.disposable'],
            module: 'esnext',
            moduleResolution: 'bundler',
            jsx: 'react-jsx',
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true,
            types: ['node'],
          },
          files: [`${folder}${types}`],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: reports,
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  })
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: !values.check,
    messageCallback(message) {
      const isNoise = message.logLevel !== ExtractorLogLevel.Error
      message.handled = isNoise || message.messageId === 'console-api-report-not-copied'
    },
  })
  if (values.check && (apiReportChanged || !existsSync(`${reports}${file}`)))
    problems.push(
      `docs/api/${file} is not what the build exports: run \`npm run api\` and commit it.`,
    )
  const text = readFileSync(`${temporary}${file}`, 'utf8')
  for (const [, line] of text.matchAll(/\(undocumented\)\n(export .+)/g))
    problems.push(`${name}: no docblock on \`${line?.trim()}\``)
}

mkdirSync(reports, { recursive: true })
mkdirSync(temporary, { recursive: true })
for (const directory of readdirSync(`${root}packages`)) {
  const folder = `${root}packages/${directory}/`
  const manifest = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as Manifest
  if (manifest.private) continue
  for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
    if (typeof target === 'string') continue
    const suffix = entry === '.' ? '' : `-${entry.slice(2)}`
    report(folder, `${directory}${suffix}`, target.types.slice(2))
  }
}
for (const file of readdirSync(reports).filter(
  (name) => name.endsWith('.api.md') && !written.has(name),
)) {
  if (values.check)
    problems.push(`docs/api/${file} belongs to no entry any more: run \`npm run api\`.`)
  else rmSync(`${reports}${file}`)
}
for (const problem of problems) console.error(problem)
console.log(`${written.size} API reports ${values.check ? 'checked' : 'written to docs/api'}`)
if (problems.length > 0) process.exitCode = 1
