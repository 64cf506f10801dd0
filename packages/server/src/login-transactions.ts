import { createSecretId, hashSecretId } from './secret-id.ts'
import type { SessionStore } from './session-store.ts'

/** Milliseconds that a user has between leaving for the provider and coming back. */
export const LOGIN_LIFETIME = 600_000

/** One sign-in under way: what the callback needs to check the answer and to go on. */
export interface LoginTransaction {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Path on the app's own origin. */
  readonly returnTo: string
  /** Key of the session that this sign-in replaces. Known only now: the callback is not sent the Strict cookie. */
  readonly replaces?: string
}

/**
 * The sign-ins under way. Each is bound to a browser (the id in its login cookie) and to its `state`, so several tabs
 * can sign in at the same time with one cookie, and neither half is of use without the other.
 */
export interface LoginTransactions {
  begin(
    browser: string,
    details: Pick<LoginTransaction, 'returnTo' | 'replaces'>,
  ): Promise<LoginTransaction>
  /** Hands a transaction out once; `undefined` when it is unknown, over, used, or another browser's. */
  take(browser: string, state: string): Promise<LoginTransaction | undefined>
}

export function createLoginTransactions(store: SessionStore, now: () => number): LoginTransactions {
  const keyOf = async (browser: string, state: string) =>
    `login:${await hashSecretId(`${browser}.${state}`)}`

  return Object.freeze<LoginTransactions>({
    async begin(browser, details) {
      const transaction: LoginTransaction = {
        ...details,
        state: createSecretId(),
        nonce: createSecretId(),
        codeVerifier: createSecretId(),
      }
      await store.set(
        await keyOf(browser, transaction.state),
        JSON.stringify(transaction),
        now() + LOGIN_LIFETIME,
      )
      return transaction
    },
    async take(browser, state) {
      const key = await keyOf(browser, state)
      const text = await store.get(key)
      // The delete decides: of two requests that both read the transaction, one alone removes it.
      if (text === undefined || !(await store.delete(key))) return undefined
      return JSON.parse(text) as LoginTransaction
    },
  })
}
