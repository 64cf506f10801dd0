import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { isAuthError } from '@token-bridge/core/errors'
import manifest from '../package.json' with { type: 'json' }
import { doctor } from './doctor/doctor.ts'
import { renderReport } from './doctor/render-report.ts'
import { keygen } from './keygen/keygen.ts'
import { renderKeys } from './keygen/render-keys.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from './keygen/signing-key.ts'
import { renderSigned } from './sign/render-signed.ts'
import { sign } from './sign/sign.ts'

/** Where a program writes. */
export interface Output {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Columns of the terminal. */
  readonly width: number
}

/**
 * Runs the command line. Failures become one line on `err`.
 *
 * @param args - without the interpreter and the program.
 * @returns the exit code: 0 done and nothing found, 1 the doctor found something, 2 it could not run.
 */
export async function run(args: readonly string[], output: Output): Promise<number> {
  let exitCode = 0
  const program = new Command('token-bridge')
    .description('Keys for signed remotes, and a check-up of a running host.')
    .version(manifest.version)
    // `sign` has a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: output.out, writeErr: output.err })

  program
    .command('keygen')
    .description('Makes a key pair for signing remotes. Refuses to overwrite one.')
    .option('--out <dir>', 'where to write the two files', '.')
    .addOption(
      new Option('--alg <name>', 'signature algorithm')
        .choices(SIGNING_ALGORITHMS)
        .default('ES256'),
    )
    .action(async ({ out, alg }: { out: string; alg: SigningAlgorithm }) => {
      output.out(renderKeys(await keygen({ directory: out, algorithm: alg })))
    })

  program
    .command('sign')
    .description("Writes the signed list of a remote's files into its build.")
    .argument('<dist>', 'what the bundler wrote, with the entry of the remote in it')
    .requiredOption('--key <file>', 'private JSON Web Key, as keygen writes it')
    .requiredOption('--name <name>', 'federation name of the remote')
    .requiredOption('--version <version>', 'of the build, e.g. 1.4.0')
    .option('--days <count>', 'how long hosts accept the list', days, 90)
    .option('--entry <file>', 'file name of the entry', 'remoteEntry.js')
    .option('--global <name>', 'global that a script entry sets (default: the name)')
    .option('--replace', 'replace a list that is there')
    .action(async (dist: string, { key, days: count, ...options }: SignCommand) => {
      output.out(renderSigned(await sign(dist, key, { ...options, expiresIn: count * DAY })))
    })

  program
    .command('doctor')
    .description(
      'Checks the sync endpoint and the content security policy of a running host over HTTP. Signs nobody in.',
    )
    .argument('<url>', 'address of a page of the host that answers without a session')
    .option('--sync <path>', 'path of the sync endpoint', '/api/auth/sync')
    .option('--timeout <ms>', 'longest wait for one answer, milliseconds', milliseconds, 10_000)
    .option('--json', 'print the report as JSON')
    .action(async (url: string, options: { sync: string; timeout: number; json?: true }) => {
      const report = await doctor(url, { syncPath: options.sync, timeout: options.timeout })
      output.out(
        options.json === true
          ? `${JSON.stringify(report, null, 2)}\n`
          : renderReport(report, output.width),
      )
      if (report.findings.length > 0) exitCode = 1
    })

  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has written its own line already, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    output.err(`token-bridge: ${isAuthError(error) ? error.message : describeFault(error)}\n`)
    return 2
  }
}

interface SignCommand {
  readonly key: string
  readonly name: string
  readonly version: string
  readonly days: number
  readonly entry: string
  readonly global?: string
  readonly replace?: true
}

/** Milliseconds. */
const DAY = 86_400_000

function days(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1 || number > 3650)
    throw new InvalidArgumentError('It must be a whole number of days, from 1 to 3650.')
  return number
}

function milliseconds(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1 || number > LONGEST_TIMER)
    throw new InvalidArgumentError('It must be a whole number of milliseconds, at least 1.')
  return number
}

/** The longest delay a timer keeps, in milliseconds; with a longer one it would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

const describeFault = (error: unknown): string =>
  `unexpected fault, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
