import { useQuery, type QueryClient } from '@tanstack/react-query'
import { isAuthError, type TokenReader } from '@token-bridge/core'
import { useAuthFetch, useAuthStatus } from '@token-bridge/react'
import type { ReactNode } from 'react'

interface Order {
  readonly id: number
  readonly customer: string
}

export function Orders(): ReactNode {
  const fetch = useAuthFetch()
  const status = useAuthStatus()
  const { data, error } = useQuery({
    queryKey: ['orders'],
    // Before there is a token `fetch` waits for it by itself.
    enabled: status !== 'signed-out',
    async queryFn({ signal }): Promise<readonly Order[]> {
      const response = await fetch('https://api.example/orders', { signal })
      if (!response.ok) throw new Error(`The API answered ${response.status}.`)
      return (await response.json()) as readonly Order[]
    },
    // The bridge has its own retries. What it gives up, asking again would not bring.
    retry: (failures, reason) => !isAuthError(reason) && failures < 2,
  })
  if (error !== null) return <p role="alert">{error.message}</p>
  return (
    <ul>
      {data?.map(({ id, customer }) => (
        <li key={id}>{customer}</li>
      ))}
    </ul>
  )
}

/** What was loaded in one session is not shown in the next. Call it once for each client. */
export const clearOnSignOut = (auth: TokenReader, client: QueryClient): (() => void) =>
  auth.subscribe(() => {
    if (auth.snapshot().status === 'signed-out') client.clear()
  })
