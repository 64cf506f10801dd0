/**
 * Loaded before everything else by a process that runs with a seeded fault: the fault's edits are made in the source text
 * when it is loaded, so the bridge under test is the real one but for them.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { FAULTS, withFault } from './faults.ts'

const name = process.env['SIMULATED_FAULT']
const fault = FAULTS.find((known) => known.name === name)
if (fault === undefined) throw new Error(`There is no fault called ${name}.`)

registerHooks({
  load(url, context, nextLoad) {
    const isEdited = fault.edits.some(({ file }) => url.endsWith(`/packages/${file}`))
    if (!isEdited) return nextLoad(url, context)
    const source = withFault(fault, url, readFileSync(new URL(url), 'utf8'))
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})
