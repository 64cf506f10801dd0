// Shared packages are loaded asynchronously, so that the entry itself may import none of them.
import { trustScripts } from '@token-bridge/federation/trusted-types'
import type { DemoConfig } from '../demo-config.ts'
import { addScriptIntegrity } from './script-integrity.ts'

async function main(): Promise<void> {
  const response = await fetch('/demo/config.json', { cache: 'no-store' })
  const config = (await response.json()) as DemoConfig
  // Before the first chunk: the page's policies block what comes without a hash, or from elsewhere.
  addScriptIntegrity()
  trustScripts(config.remotes.map(({ entry }) => new URL(entry).origin))
  const { start } = await import('./bootstrap.tsx')
  start(config)
}

void main()
