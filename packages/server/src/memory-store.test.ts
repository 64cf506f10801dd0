import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { sessionStoreContract } from './session-store-contract.ts'

sessionStoreContract(
  'memoryStore',
  () => {
    let time = 1_000_000
    return {
      store: memoryStore({ now: () => time }),
      now: () => time,
      pass: (ms) => void (time += ms),
    }
  },
  { describe, it, expect },
)
