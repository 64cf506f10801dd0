import { isAuthError } from '@token-bridge/core/errors'
import { Component, useEffect, type ReactNode } from 'react'

/** Why a remote is not shown, in a form that may be shown and logged. The error itself may hold anything, so it is not here. */
export interface RemoteFailure {
  readonly remote: string
  /** The code of an `AuthError`; else `mount-failed`, or `render-failed` for a remote that was mounted before. */
  readonly code: string
  /** Mounts the remote anew. */
  readonly retry: () => void
}

/** What a boundary needs to know of the remote in it. */
export interface RemoteBoundaryProps {
  /** The remote's name. Another name is another remote: what was there is removed, and its failure forgotten. */
  readonly remote: string
  /**
   * Told once of each mount, and of each failure with its code. A function, because from any element in the page a script
   * can walk to the properties of the components around it: the bridge must not be one.
   */
  readonly report: (remote: string, failure?: string) => void
  /** In place of the remote when it has failed: a node, or a function that makes one. Default: an alert and a button. */
  readonly fallback?: ReactNode | ((failure: RemoteFailure) => ReactNode)
  /** Called before the remote is mounted anew, such as to make a new `lazy()`: one that has failed stays so. */
  readonly onRetry?: () => void
  readonly children?: ReactNode
}

interface BoundaryState {
  /** Its code is `null` for an error that is none of ours. */
  readonly failure: { readonly code: string | null } | null
}

/**
 * Keeps the failure of a remote that the host renders to the remote's own place, and tells how the mount went.
 *
 * A `<Suspense>` for a remote that loads lazily goes around the boundary, not into it: a remote is mounted when its content
 * is. What React lets no boundary catch, such as event handlers, is not caught.
 *
 * @example
 * const report = (remote, failure) => bridge.reportMount(remote, failure)
 * <Suspense fallback={<Skeleton />}>
 *   <RemoteBoundary remote="orders" report={report}><Orders auth={bridge.reader('orders')} /></RemoteBoundary>
 * </Suspense>
 */
export function RemoteBoundary(props: RemoteBoundaryProps): ReactNode {
  return <Boundary key={props.remote} {...props} />
}

/** Of one remote. A class, because React has no other way. */
class Boundary extends Component<RemoteBoundaryProps, BoundaryState> {
  override state: BoundaryState = { failure: null }
  #isMounted = false
  #isFailureReported = false

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { failure: { code: codeOf(error) } }
  }

  override componentDidCatch(error: unknown): void {
    // Several effects can fail at once, and in StrictMode one effect fails twice.
    if (this.#isFailureReported) return
    this.#isFailureReported = true
    const { report, remote } = this.props
    report(remote, this.#nameOf(codeOf(error)))
  }

  override render(): ReactNode {
    const { remote, children, fallback } = this.props
    const { failure } = this.state
    if (failure === null) {
      return (
        <>
          {children}
          <Mounted onMount={this.#mounted} />
        </>
      )
    }
    const told = { remote, code: this.#nameOf(failure.code), retry: this.#retry }
    if (typeof fallback === 'function') return fallback(told)
    return fallback === undefined ? <DefaultFallback {...told} /> : fallback
  }

  #nameOf(code: string | null): string {
    return code ?? (this.#isMounted ? 'render-failed' : 'mount-failed')
  }

  readonly #mounted = (): void => {
    this.#isMounted = true
    const { report, remote } = this.props
    report(remote)
  }

  readonly #retry = (): void => {
    this.props.onRetry?.()
    this.#isMounted = false
    this.#isFailureReported = false
    this.setState({ failure: null })
  }
}

/** Tells that what stands beside it is mounted. Not at once: its neighbours' effects may fail, and StrictMode mounts twice. */
function Mounted({ onMount }: { readonly onMount: () => void }): null {
  useEffect(() => {
    let hasLeft = false
    void Promise.resolve().then(() => {
      if (!hasLeft) onMount()
    })
    return () => {
      hasLeft = true
    }
  }, [onMount])
  return null
}

function DefaultFallback({ remote, code, retry }: RemoteFailure): ReactNode {
  return (
    <>
      <p role="alert">
        The part “{remote}” of this page could not be shown ({code}).
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </>
  )
}

/** Only what looks like one of our codes: a remote can throw what only looks like one of our errors. */
const codeOf = (error: unknown): string | null =>
  isAuthError(error) && /^ERR_[A-Z_]{1,40}$/.test(error.code) ? error.code : null
