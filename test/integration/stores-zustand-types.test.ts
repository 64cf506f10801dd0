import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

const layers = {
  ours: (inner: string) => `withAuth(bridge)(${inner})`,
  devtools: (inner: string) => `devtools(${inner})`,
  persist: (inner: string) => `persist(${inner}, { name: 'cart' })`,
  immer: (inner: string) => `immer(${inner})`,
  subscribeWithSelector: (inner: string) => `subscribeWithSelector(${inner})`,
}
type Layer = keyof typeof layers

function permutations(items: readonly Layer[]): Layer[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((item, index) =>
        permutations(items.toSpliced(index, 1)).map((others) => [item, ...others]),
      )
}

/** A module in which every order is a store that infers as it would without us, and refuses what it should. */
function source(orders: readonly Layer[][]): string {
  const base = '(set) => ({ items: 0, add: (by) => set((state) => void (state.items += by)) })'
  const stores = orders.map((order, index) => {
    const store = `store${index}`
    const initializer = order.reduceRight((inner, layer) => layers[layer](inner), base)
    return `
      // ${order.join(' > ')}
      export const ${store} = create<Cart & AuthSlice>()(${initializer})
      ${store}.persist.hasHydrated()
      ${store}.subscribe(({ items }) => items, (items) => items.toFixed())
      ${store}.subscribe(({ auth }) => auth.status, (status) => status.at(0))
      ${store}.setState((state) => void (state.items += 1), false, 'cart/added')
      ${store}.getState().add(1)
      // @ts-expect-error: no number
      ${store}.setState({ items: 'one' })
      // @ts-expect-error: no such key
      ${store}.getState().nothing
      // @ts-expect-error: no such option
      ${store}.persist.setOptions({ nothing: 1 })`
  })
  return `
    import { create } from 'zustand'
    import { devtools, persist, subscribeWithSelector } from 'zustand/middleware'
    import { immer } from 'zustand/middleware/immer'
    import type { SecureTokenBridge } from '@token-bridge/core'
    import { withAuth, type AuthSlice } from '@token-bridge/zustand'
    declare const bridge: SecureTokenBridge
    interface Cart { items: number; add(by: number): void }
    ${stores.join('\n')}`
}

/** What the compiler has to say, with the settings of this repository. */
async function complaints(module: string): Promise<string> {
  const folder = await mkdtemp(join(root, 'test/integration/.types-'))
  try {
    await writeFile(join(folder, 'orders.ts'), module)
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['orders.ts'] }),
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    return await promisify(execFile)(tsc, ['-p', folder]).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

it('infers the store in all 120 orders of withAuth and the middlewares of Zustand', async () => {
  const orders = permutations(Object.keys(layers) as Layer[])
  expect(orders).toHaveLength(120)
  expect(await complaints(source(orders))).toBe('')
}, 120_000)

it('would hear of an order that does not compile', async () => {
  const spoilt = source([['ours', 'devtools', 'persist', 'subscribeWithSelector']])
  expect(await complaints(spoilt)).toContain('orders.ts')
}, 60_000)
