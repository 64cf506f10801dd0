#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander'
import { askHost } from './ask-host.ts'
import { diagnose } from './diagnose.ts'
import { keygen } from './keygen.ts'
import { report } from './report.ts'

// Before the subcommands, which inherit it: wrong arguments are exit code 2, not 1.
const program = new Command('token-bridge')
  .description('Keys for signed remotes, and a check-up of a running host.')
  .exitOverride()

function webAddress(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new InvalidArgumentError('Write the whole address, such as https://app.example.com.')
}

program
  .command('doctor')
  .description(
    'Check a host over HTTP. Exit code 0: nothing found, 1: findings, 2: it could not be checked.',
  )
  .argument('<url>', 'address of the host page', webAddress)
  .option('--sync <path>', 'path of the sync endpoint', '/api/auth/sync')
  .option('--json', 'print the findings as JSON')
  .action(async (url: URL, options: { sync: string; json?: true }) => {
    const findings = diagnose(await askHost(url, options.sync))
    console.log(
      options.json
        ? JSON.stringify({ url: url.href, findings }, null, 2)
        : report(url.href, findings),
    )
    process.exitCode = findings.length === 0 ? 0 : 1
  })

program
  .command('keygen')
  .description('Make a key pair for signing remotes.')
  .option('--out <folder>', 'where to write it', '.')
  .addOption(
    new Option('--alg <algorithm>', 'signature algorithm')
      .choices(['ES256', 'EdDSA'])
      .default('ES256'),
  )
  .action(async ({ out, alg }: { out: string; alg: 'ES256' | 'EdDSA' }) => {
    const { privateKey, publicKey, kid } = await keygen(out, alg)
    console.log(
      `${privateKey}  sign with it in CI; keep it out of the repository\n${publicKey}  give it to the host\nkid ${kid}`,
    )
  })

try {
  await program.parseAsync()
} catch (error) {
  const isUsage = error instanceof Error && 'exitCode' in error
  // commander has printed its own line already.
  if (!isUsage)
    console.error(`token-bridge: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = isUsage && error.exitCode === 0 ? 0 : 2
}
