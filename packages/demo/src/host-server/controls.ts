/** What the page's buttons, and the e2e tests, can change while the demo runs. */
export interface Controls {
  /** Down: `/api/auth/sync` answers 503. */
  endpoint: 'up' | 'down'
  /** ENABLE_SECURE_TOKEN_BRIDGE, the kill switch. */
  isBridgeEnabled: boolean
}

export type ControlChange = Partial<Controls>

/** Reads what a button sent; anything else is `null`. */
export function parseControlChange(body: unknown): ControlChange | null {
  if (typeof body !== 'object' || body === null) return null
  const change: ControlChange = {}
  for (const [key, value] of Object.entries(body)) {
    if (key === 'endpoint' && (value === 'up' || value === 'down')) change.endpoint = value
    else if (key === 'isBridgeEnabled' && typeof value === 'boolean') change.isBridgeEnabled = value
    else return null
  }
  return change
}
