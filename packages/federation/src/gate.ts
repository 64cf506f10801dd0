import type { ModuleFederation } from '@module-federation/runtime'
import type { SecureTokenBridge } from '@token-bridge/core'
import type { AuthError } from '@token-bridge/core/errors'
import { guardElements, type PinnedFailure } from './element-pins.ts'
import { isMemoryContainer } from './host-container.ts'
import { untilSettled } from './load-gated-remote.ts'
import { bypassed, isRefusal, refusal } from './refusal.ts'
import type { Decisions } from './seal-instance.ts'
import { pinShares, type SharePins, type ShareScopes } from './share-pins.ts'
import type { RemoteTrust, TrustedRemote } from './trusted-remotes.ts'
import { createVerifiedLoader } from './verified-loader.ts'
import { whyNotTaken } from './why-not-taken.ts'

/** A remote that was kept out. */
export interface RefusedRemote {
  /** As events name it. */
  readonly remote: string
  /** What was asked for, such as `./mount`. */
  readonly expose: string
  readonly error: AuthError
}

/** Makes what stands in for a refused module. */
export type Fallback = (refused: RefusedRemote) => unknown

/** What the gate asks of a bridge. */
export type GateBridge = Pick<SecureTokenBridge, 'snapshot' | 'snapshot$' | 'reportMount'>

/** What each event of an instance comes to. */
export type Gate = Decisions

/** What the runtime says of the remote that an event is about. */
interface RemoteInfo {
  readonly name: string
  readonly entry?: string
}

/**
 * Makes the decisions for all instances of the page.
 *
 * @param host - the instance whose shared packages are the page's.
 */
export function createGate(
  bridge: GateBridge,
  keys: { readonly keys: RemoteTrust['keys'] },
  remotes: readonly TrustedRemote[],
  fallback: Fallback | undefined,
  host: ModuleFederation,
): Gate {
  const shares: SharePins = pinShares(host)
  const byEntry = new Map(remotes.map((remote) => [remote.entry, remote]))
  const byBase = new Map(remotes.map((remote) => [remote.base, remote]))
  /** Containers by remote; a refused one is asked for anew. */
  const containers = new Map<TrustedRemote, Promise<object>>()
  const verified = new WeakMap<object, TrustedRemote>()
  const running = new Set<TrustedRemote>()
  /** The last element of a remote that the browser did not take, and why. */
  const failures = new Map<TrustedRemote, Promise<AuthError>>()

  const report = (remote: string, error: AuthError): AuthError => {
    bridge.reportMount(remote, error.code)
    return error
  }

  const noteFailure = (failure: PinnedFailure): void => {
    const remote = byBase.get(failure.base)
    if (remote === undefined) return
    const isLate = running.has(remote)
    const reason = whyNotTaken(remote, failure).then((error) => {
      // Until the entry has run, whoever loads it reports.
      if (isLate && isRefusal(error)) report(remote.reader, error)
      return error
    })
    failures.set(remote, reason)
  }

  const pins = guardElements([...byBase.keys()], noteFailure)
  const loader = createVerifiedLoader(keys, pins, shares, (remote) => {
    const failed = failures.get(remote)
    failures.delete(remote)
    return (
      failed ??
      Promise.resolve(refusal('ERR_REMOTE_UNREACHABLE', `"${remote.name}" did not answer in time.`))
    )
  })

  const load = async (remote: TrustedRemote): Promise<object> => {
    await untilSettled(bridge)
    try {
      const container = await loader.load(remote)
      verified.set(container, remote)
      running.add(remote)
      return container
    } catch (error) {
      containers.delete(remote)
      if (isRefusal(error)) report(remote.reader, error)
      throw error
    }
  }

  const known = ({ name, entry }: RemoteInfo): TrustedRemote => {
    const remote = byEntry.get(entry ?? '')
    if (remote !== undefined && isNamed(remote, name)) return remote
    throw report(
      name,
      refusal(
        'ERR_REMOTE_UNKNOWN',
        `No remote "${name}" at ${entry ?? 'no address'} is trusted: name it in \`trust.remotes\`.`,
      ),
    )
  }

  const checkContainer = (info: RemoteInfo, container: unknown): void => {
    if (isMemoryContainer(container)) return
    const remote = known(info)
    if (verified.get(container as object) === remote) return
    throw report(
      remote.reader,
      bypassed(remote.name, 'its container is not the one that was verified'),
    )
  }

  interface LoadEvent {
    readonly remoteInfo: RemoteInfo
    readonly remoteEntryExports?: unknown
    readonly error?: unknown
  }
  interface LoadFailure {
    readonly error: unknown
    readonly expose?: string
    readonly from: 'build' | 'runtime'
    readonly lifecycle: string
    readonly remote?: RemoteInfo
  }

  interface Request {
    readonly id: string
  }
  interface Match {
    readonly remote: unknown
    readonly expose: unknown
    readonly remoteInfo: unknown
  }

  interface ContainerStart {
    readonly shareScope: unknown
    readonly initScope: unknown
    readonly remoteInfo: RemoteInfo
    readonly remoteEntryInitOptions: { readonly shareScopeMap: ShareScopes }
  }

  return {
    core: {
      async beforeInitContainer(others, args: ContainerStart) {
        const { shareScope, initScope, remoteInfo, remoteEntryInitOptions } = args
        const answer = (await others(args)) as object
        // After the others, which may have put something there.
        shares.restore(remoteEntryInitOptions.shareScopeMap)
        return { ...answer, shareScope, initScope, remoteInfo, remoteEntryInitOptions }
      },
    },
    remote: {
      // Whoever asks for one remote is not given another.
      async beforeRequest(others, args: Request) {
        const { id } = args
        return { ...((await others(args)) as object), id }
      },
      async afterMatchRemote(others, args: LoadEvent) {
        await others(args)
        // Before a manifest would be fetched. The host's own modules are answered for later.
        if (args.error === undefined && !isMemoryAddress(args.remoteInfo))
          failures.delete(known(args.remoteInfo))
      },
      async loadEntry(others, { remoteInfo, ...args }: LoadEvent) {
        const answer = isMemoryAddress(remoteInfo)
          ? await others({ remoteInfo, ...args })
          : undefined
        if (isMemoryContainer(answer)) return answer
        const remote = known(remoteInfo)
        const loading = containers.get(remote) ?? load(remote)
        containers.set(remote, loading)
        return loading
      },
      async errorLoadRemote(others, args: LoadFailure) {
        const answer = await others(args)
        const remote = byEntry.get(args.remote?.entry ?? '')
        if (remote === undefined) {
          if (isRefusal(args.error)) throw args.error
          return answer
        }
        const error = isRefusal(args.error) ? args.error : await failures.get(remote)
        failures.delete(remote)
        if (!isRefusal(error)) return undefined
        if (fallback === undefined || args.lifecycle !== 'onLoad') throw error
        const module = fallback({ remote: remote.reader, expose: args.expose ?? '.', error })
        return args.from === 'build' ? () => module : module
      },
      // A wrapper by another plugin would be handed out in place of what was verified.
      async onLoad(others, args: never) {
        await others(args)
      },
    },
    loader: {
      async fetch(_others, url: string) {
        throw refusal('ERR_REMOTE_UNKNOWN', `The manifest ${url} is not signed, and not loaded.`)
      },
      async loadEntryError() {},
      async afterLoadEntry(others, args: LoadEvent) {
        await others(args)
        if (args.error === undefined) checkContainer(args.remoteInfo, args.remoteEntryExports)
      },
      async getModuleFactory(others, args: never) {
        await others(args)
      },
    },
    shared: {
      async afterResolve(others, args: Match) {
        const { remote, expose, remoteInfo } = args
        return { ...((await others(args)) as object), remote, expose, remoteInfo }
      },
      resolveShare(others, args: never) {
        const request = others(args) as Parameters<SharePins['answer']>[0]
        shares.answer(request)
        return request
      },
    },
  }
}

const isMemoryAddress = ({ entry }: RemoteInfo): boolean => entry?.startsWith('memory:') === true

/** `@module-federation/vite` mangles the names of the remotes that a build names itself. */
const isNamed = (remote: TrustedRemote, name: string): boolean =>
  name === remote.name || name.startsWith(`__mfe_internal__${remote.name}__`)
