import type { TokenReader } from '@token-bridge/core'
import ky, { type KyInstance } from 'ky'

export const createClient = (auth: Pick<TokenReader, 'fetch'>): KyInstance =>
  ky.create({ baseUrl: 'https://api.example', fetch: auth.fetch })
