import type { TokenReader } from '@token-bridge/core'
import { AuthProvider, useAuthToken } from '@token-bridge/react'
import { createElement, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'

export interface Mounted {
  /** What the remote sees of what it was given. */
  report(): Record<string, unknown>
}
export type Mount = (element: HTMLElement, given: { readonly auth: TokenReader }) => Mounted

function Shown(): ReactNode {
  const [name] = useState(BUNDLER)
  return `${name} ${useAuthToken() ?? 'without a token'}`
}

/** A component for the host's own tree: with a reader of its own, or below a provider of the host. */
export function Panel({ auth }: { readonly auth?: TokenReader }): ReactNode {
  const shown = createElement(Shown)
  return auth === undefined ? shown : createElement(AuthProvider, { reader: auth }, shown)
}

/** With React. */
export const mount: Mount = (element, { auth }) => {
  createRoot(element).render(createElement(Panel, { auth }))
  return { report: () => ({ useState, remote: auth.remote, keys: Object.keys(auth).toSorted() }) }
}
