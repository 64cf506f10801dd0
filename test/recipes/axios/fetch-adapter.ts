import type { TokenReader } from '@token-bridge/core'
import { create, type AxiosInstance } from 'axios'

export const createClient = (auth: Pick<TokenReader, 'fetch'>): AxiosInstance =>
  create({
    baseURL: 'https://api.example',
    adapter: 'fetch',
    env: { fetch: auth.fetch },
  })
