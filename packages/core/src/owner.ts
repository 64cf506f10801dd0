import { AuthError } from './errors.ts'
import { VERSION } from './version.ts'

/**
 * Says in the page that a bridge runs, and of which copy of the package it is. It leads nowhere: nobody can get a reader, a
 * bridge or a token by it.
 */
interface OwnerMark {
  /** Another copy of the package has another one. */
  readonly copy: object
  readonly version: string
  readonly bridges: number
}

const MARK = Symbol.for('@token-bridge/owner')
const copy: object = Object.freeze({ __proto__: null })

/**
 * Claims the page for this copy of the package. Bridges of one copy may run side by side; a second copy, which Module
 * Federation loads when sharing has failed, is refused, so that there is one owner and not two that rotate apart.
 *
 * @param realm - where the mark stands; `undefined` outside a browser, where nothing is claimed.
 * @returns what gives the claim up.
 * @throws AuthError `ERR_SECOND_COPY`.
 */
export function claimPage(realm: object | undefined): () => void {
  if (realm === undefined) return () => {}
  const page = realm as Record<symbol, OwnerMark | undefined>
  const mark = page[MARK]
  if (mark !== undefined && mark.copy !== copy) throw secondCopy(mark)
  set(page, (mark?.bridges ?? 0) + 1)
  let isHeld = true
  return () => {
    if (!isHeld) return
    isHeld = false
    const now = page[MARK]
    if (now?.copy === copy) set(page, now.bridges - 1)
  }
}

function set(page: Record<symbol, OwnerMark | undefined>, bridges: number): void {
  if (bridges > 0) {
    const value: OwnerMark = Object.freeze({ copy, version: VERSION, bridges })
    Object.defineProperty(page, MARK, { value, configurable: true })
  } else {
    delete page[MARK]
  }
}

const secondCopy = (mark: OwnerMark): AuthError =>
  new AuthError(
    'ERR_SECOND_COPY',
    `Another copy of @token-bridge/core (version ${mark.version}, this one is ${VERSION}) already owns the session of this page, ` +
      'so Module Federation has loaded the package twice. A remote must not make a bridge: let the host pass it a reader, mount(el, { auth: bridge.reader(name) }). ' +
      'A host shares one copy with sharedSingletons() of @token-bridge/federation/config; remotes use its role "remote".',
    { phase: 'configure' },
  )
