import { startDemo } from './demo.ts'

const started = performance.now()
process.stdout.write('Secure Token Bridge · demo\n')

const demo = await startDemo({ port: Number(process.env['PORT'] ?? 4000) })

const seconds = ((performance.now() - started) / 1000).toFixed(1)
process.stdout.write(`\n  ${demo.url}   ready in ${seconds} s · Ctrl-C ends it\n\n`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void demo.stop().then(() => process.exit(0))
  })
}
