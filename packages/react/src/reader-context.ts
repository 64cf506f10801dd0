import type { TokenReader } from '@token-bridge/core'
import { createContext, type Context } from 'react'

/** Carries a remote's reader to its own components. Never from host to remote: two copies of React do not share it. */
export const ReaderContext: Context<TokenReader | null> = createContext<TokenReader | null>(null)
