/** What one tab tells the others, token-free. To whom it comes from outside it is a hint to ask the server, never a fact. */
export type TabSignal =
  | {
      readonly type: 'rotated'
      /** Epoch milliseconds: the end of the token that the tab has got. */ readonly expiresAt: number
    }
  | { readonly type: 'reset' }
  | { readonly type: 'mode' }

/** A signal and the id of the tab that it comes from. */
export interface TabMessage {
  readonly from: number
  readonly signal: TabSignal
}

/** Other versions are not understood: tabs of an older and a newer release then do without each other's hints. */
const VERSION = 1

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

/** The message as the channel carries it. It takes over only what belongs to a signal, whatever else the object holds. */
export function encodeSignal(from: number, signal: TabSignal): object {
  const { type } = signal
  return type === 'rotated'
    ? { v: VERSION, from, type, expiresAt: signal.expiresAt }
    : { v: VERSION, from, type }
}

/** Reads a message of the channel, on which every script of the origin can write. `null` for all that {@link encodeSignal} does not make. */
export function parseSignal(data: unknown): TabMessage | null {
  try {
    return parse(data)
  } catch {
    // A getter or a proxy has thrown. What has crossed a channel holds neither; what a patched event hands over can.
    return null
  }
}

function parse(data: unknown): TabMessage | null {
  if (typeof data !== 'object' || data === null) return null
  const { v, from, type, expiresAt } = data as Record<string, unknown>
  if (v !== VERSION || !isCount(from)) return null
  const fields = Reflect.ownKeys(data).length
  if (type === 'rotated' && isCount(expiresAt) && fields === 4) {
    return { from, signal: { type, expiresAt } }
  }
  return (type === 'reset' || type === 'mode') && fields === 3 ? { from, signal: { type } } : null
}
