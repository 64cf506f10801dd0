import { isAuthError } from '@token-bridge/core'
import { useEffect, useState, type ReactNode } from 'react'
import { useSelector } from 'react-redux'
import type { ControlChange, Controls } from '../host-server/controls.ts'
import { changeControls, readControls } from './demo-controls.ts'
import { currentHost } from './current-host.ts'
import type { HostState } from './store.ts'

/** Buttons that do to the session what production will do to it some day. */
export function SessionControls(): ReactNode {
  const { bridge, flag } = currentHost()
  const hasToken = useSelector((state: HostState) => state.auth.expiresAt !== null)
  const [controls, setControls] = useState<Controls>({ endpoint: 'up', isBridgeEnabled: true })
  const [notice, setNotice] = useState('')
  const [isRotating, setRotating] = useState(false)

  useEffect(() => {
    readControls().then(setControls, () => setNotice('The demo server does not answer.'))
  }, [])

  const rotate = (): void => {
    setRotating(true)
    setNotice('')
    bridge
      .rotate({ reason: 'button' })
      .catch((error: unknown) => setNotice(isAuthError(error) ? error.code : 'Failed.'))
      .finally(() => setRotating(false))
  }
  const change = (next: ControlChange): void => {
    setNotice('')
    changeControls(next)
      .then(setControls)
      .then(flag.recheck)
      .catch(() => setNotice('The demo server does not answer.'))
  }
  const isDown = controls.endpoint === 'down'

  return (
    <div className="controls" role="group" aria-label="Try it">
      <button
        type="button"
        data-testid="rotate-now"
        disabled={!hasToken || isRotating}
        onClick={rotate}
      >
        Rotate now
      </button>
      <button
        type="button"
        className="quiet"
        data-testid="toggle-endpoint"
        aria-pressed={isDown}
        onClick={() => change({ endpoint: isDown ? 'up' : 'down' })}
      >
        {isDown ? 'Bring the auth endpoint back' : 'Take the auth endpoint down'}
      </button>
      <button
        type="button"
        className="quiet danger"
        data-testid="toggle-kill-switch"
        aria-pressed={!controls.isBridgeEnabled}
        onClick={() => change({ isBridgeEnabled: !controls.isBridgeEnabled })}
      >
        {controls.isBridgeEnabled ? 'Kill switch' : 'Switch the bridge on again'}
      </button>
      <p className="notice" role="status" data-testid="notice">
        {notice}
      </p>
    </div>
  )
}
