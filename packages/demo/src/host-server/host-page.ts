import { createHash } from 'node:crypto'
import type { StaticFile } from '../static-files.ts'

/** SHA-384 hashes of scripts, by absolute address, as an import map's `integrity` has them. */
export type ScriptHashes = Readonly<Record<string, string>>

/** The hashes of all scripts of an origin. */
export function hashScripts(origin: string, files: ReadonlyMap<string, StaticFile>): ScriptHashes {
  return Object.fromEntries(
    [...files]
      .filter(([path]) => path.endsWith('.js'))
      .map(([path, { body }]) => [
        `${origin}${path}`,
        `sha384-${createHash('sha384').update(body).digest('base64')}`,
      ]),
  )
}

const ENTRY = '<script src="/main.js" defer></script>'

/**
 * Returns the function that writes the host's page for one response: with the hash of the entry, and with an import map
 * that says the hash of every script of the host. Modules are checked by it directly; the page's entry reads it for
 * classic scripts.
 *
 * @throws Error when the template does not load the entry.
 */
export function hostPage(
  template: string,
  origin: string,
  integrity: ScriptHashes,
): (nonce: string) => string {
  const entry = integrity[`${origin}/main.js`]
  if (!template.includes(ENTRY) || entry === undefined)
    throw new Error('The page does not load /main.js.')
  const map = JSON.stringify({ integrity }).replaceAll('<', String.raw`\u003c`)
  return (nonce) =>
    template.replace(
      ENTRY,
      () => `<script type="importmap" nonce="${nonce}">${map}</script>
    <script src="/main.js" defer integrity="${entry}" crossorigin="anonymous"></script>`,
    )
}
