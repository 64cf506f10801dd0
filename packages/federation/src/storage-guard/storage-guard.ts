import type { SecureTokenBridge } from '@token-bridge/core'
import { AuthError } from '@token-bridge/core/errors'
import { addSeen, after, hasSeen, Later, Seen, uncurry } from './captured.ts'
import { holdsToken } from './holds-token.ts'
import { guardNewRealms } from './new-realms.ts'
import { createPatches, type Patches } from './patches.ts'
import type { Outcome, Realm, Sentry } from './sentry.ts'
import { createAreaGuard } from './storage-areas.ts'
import { createTokenMatcher, type TextTest } from './token-matcher.ts'
import { captureWatcher, type Watcher } from './watcher.ts'
import { guardWrites } from './write-routes.ts'

/** How long the guard stands. */
export interface StorageGuardOptions {
  /**
   * Whether writes stay guarded after hydration, until `stop()`. Frames, workers and windows are allowed again in any case.
   * Default `false`.
   */
  readonly stays?: boolean
}

/** Watches what remotes write while they hydrate. Give it to `loadGatedRemote`. */
export interface StorageGuard {
  /**
   * Runs `load` with the guard up. Remotes take turns, so that what is caught has one who did it.
   *
   * @returns what `load` brought, when the remote has settled.
   * @throws AuthError `ERR_REMOTE_STORED_TOKEN` as soon as the remote was caught; what `load` brings is unmounted, and the
   * remote's reader revoked. Else what `load` threw, or the signal's reason while the remote waits for its turn.
   */
  hydrate<T>(remote: string, load: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Takes a guard down that stays. */
  stop(): void
}

/** What the guard asks of a bridge. */
export type StorageGuardBridge = Pick<
  SecureTokenBridge,
  'attach' | 'reader' | 'revoke' | 'reportViolation'
>

/** Milliseconds after `load` for effects to run and storage events to arrive. */
const SETTLING = 50
/** Milliseconds that one who was caught, or a body that does not end, may hold up the next remote. */
const PATIENCE = 2_000

/** A remote that is being hydrated. */
interface Hydration {
  readonly remote: string
  readonly fail: (error: AuthError) => void
  readonly reported: Set<unknown>
  pending: Promise<unknown>
}

const never: TextTest = () => false

/**
 * Creates the guard that detects the token in what remotes write to storage or send away while they hydrate, blocks it
 * where the page allows that, and has the remote refused. Create it when the host starts, before any remote: it works with
 * the built-ins that stand at that moment.
 *
 * It is a detector and no sandbox: see `docs/storage-guard.md` for what passes it. Outside a browser it only loads.
 *
 * @example
 * const storageGuard = createStorageGuard(bridge)
 * await loadGatedRemote(bridge, 'orders', load, { storageGuard })
 */
export function createStorageGuard(
  bridge: StorageGuardBridge,
  { stays = false }: StorageGuardOptions = {},
): StorageGuard {
  if (typeof stays !== 'boolean')
    throw new AuthError('ERR_CONFIG', 'createStorageGuard: stays must be a boolean.', {
      phase: 'configure',
    })
  if (typeof window === 'undefined')
    return Object.freeze({
      hydrate: <T>(_remote: string, load: () => Promise<T>) => load(),
      stop() {},
    })

  const realm: Realm = window
  const { setTimeout, reportError, DOMException } = realm
  const textOf = uncurry(Blob.prototype.text)
  const startWatcher = captureWatcher(realm)
  // A flat list tells it of new tokens, before any remote: no RxJS object sees one pass.
  const reader = bridge.reader('storage guard of the host')

  let current: Hydration | undefined
  let turn: Promise<unknown> = Later.resolve()
  let guard: { readonly patches: Patches; readonly watcher: Watcher; detach(): void } | undefined
  let known = ''
  let newest = never
  let previous = never
  let count = 0

  function learn(): void {
    const token = reader.current()?.accessToken
    if (token === undefined || token === known) return
    known = token
    previous = newest
    newest = createTokenMatcher(token)
  }

  function forget(): void {
    known = ''
    newest = never
    previous = never
  }

  const test: TextTest = (text) => newest(text) || previous(text)

  const sentry: Sentry = {
    get count() {
      return count
    },
    get isUp() {
      return guard !== undefined
    },
    get refusesRealms() {
      return current !== undefined
    },
    holds(value, route) {
      return typeof value === 'string'
        ? test(value)
        : holdsToken(value, test, (blob) =>
            sentry.pending(
              after(textOf(blob), (text) => {
                if (test(text)) sentry.caught(route, 'detected')
              }),
            ),
          )
    },
    caught(route, outcome) {
      count += 1
      const error = storedToken(route, outcome, current?.remote)
      report('token-stored', route, outcome)
      current?.fail(error)
      return error
    },
    refused(route) {
      report('realm-refused', route, 'blocked')
      return new DOMException(
        `No new ${route} while remote "${current?.remote}" hydrates: nothing would be guarded in it.`,
        'NotAllowedError',
      )
    },
    pending(work) {
      if (current === undefined) return
      const others = current.pending
      current.pending = after(
        work,
        () => others,
        () => others,
      )
    },
  }

  const guardAreas = createAreaGuard(realm, sentry)

  function report(kind: string, route: string, outcome: Outcome): void {
    const detail = `route=${route} remote=${current?.remote ?? 'none'} outcome=${outcome}`
    if (current !== undefined) {
      // Once: who tries a thousand times is not to fill the log.
      if (hasSeen(current.reported, detail)) return
      addSeen(current.reported, detail)
    }
    bridge.reportViolation(kind, detail)
  }

  function putUp(): NonNullable<typeof guard> {
    learn()
    const patches = createPatches()
    const watcher = startWatcher(sentry)
    const detach = bridge.attach({
      name: 'storage-guard',
      apply(event) {
        if (event.type === 'token-rotated') learn()
        if (event.type === 'auth-reset' && current === undefined) forget()
      },
    })
    // What lies there already is nobody's that comes now.
    watcher.sweep()
    guardWrites(realm, patches, sentry)
    guardAreas(patches)
    eachFrame((frame) => {
      guardWrites(frame, patches, sentry)
      createAreaGuard(frame, sentry)(patches)
    })
    return { patches, watcher, detach }
  }

  function takeDown(): void {
    guard?.patches.restore()
    guard?.watcher.stop()
    guard?.detach()
    guard = undefined
    forget()
  }

  function eachFrame(visit: (frame: Realm) => void): void {
    for (let index = 0; index < realm.length; index += 1) {
      const frame = realm[index] as Realm
      try {
        void frame.document
      } catch {
        // Of another origin, whose storage is not ours.
        continue
      }
      visit(frame)
    }
  }

  const pause = (ms: number): Promise<void> =>
    new Later((resolve) => {
      setTimeout(resolve, ms)
    })

  async function settle(hydration: Hydration, loading: Promise<unknown>): Promise<void> {
    await after(loading, nothing, nothing)
    await pause(SETTLING)
    await Later.race([hydration.pending, pause(PATIENCE)])
    if (current === hydration) guard?.watcher.sweep()
  }

  async function hydrate<T>(
    remote: string,
    load: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const ahead = turn
    let pass = nothing
    const own = new Later<void>((resolve) => {
      pass = resolve
    })
    turn = after(ahead, () => own)
    try {
      await unlessAborted(ahead, signal)
    } catch (error) {
      pass()
      throw error
    }
    let fail: Hydration['fail'] = nothing
    const caught = new Later<never>((_resolve, reject) => {
      fail = reject
    })
    guard ??= putUp()
    const hydration = { remote, fail, reported: new Seen(), pending: Later.resolve() }
    current = hydration
    const realms = createPatches()
    guardNewRealms(realm, realms, sentry)
    eachFrame((frame) => guardNewRealms(frame, realms, sentry))

    const loading = begin(load)
    const settled = settle(hydration, loading)
    const patience = after(caught, nothing, () => {
      bridge.revoke(remote)
      void after(loading, unmount, nothing)
      return pause(PATIENCE)
    })
    const over = Later.race([settled, patience, whenAborted(signal)])
    void after(over, () => {
      realms.restore()
      current = undefined
      if (!stays) takeDown()
      pass()
    })
    return Later.race([caught, after(settled, () => loading)])
  }

  function unmount(mounted: unknown): void {
    try {
      if (typeof mounted === 'function') mounted()
      else (mounted as { unmount?: () => void } | null | undefined)?.unmount?.()
    } catch (error) {
      reportError(error)
    }
  }

  return Object.freeze({
    hydrate,
    stop() {
      if (current === undefined) takeDown()
    },
  })
}

const nothing = (): void => {}

async function begin<T>(load: () => Promise<T>): Promise<T> {
  return load()
}

function whenAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Later((resolve) => {
    if (signal?.aborted === true) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function unlessAborted(ahead: Promise<unknown>, signal?: AbortSignal): Promise<void> {
  await Later.race([ahead, whenAborted(signal)])
  signal?.throwIfAborted()
}

function storedToken(route: string, outcome: Outcome, remote: string | undefined): AuthError {
  const who = remote === undefined ? 'Somebody' : `Remote "${remote}"`
  return new AuthError(
    'ERR_REMOTE_STORED_TOKEN',
    `${who} wrote the access token to ${route} (${outcome}). Tokens live in memory only: ask the reader when one is needed.`,
    { phase: 'load' },
  )
}
