import type { Adapter, AdapterPayload } from 'oidc-provider'

/** Where the provider keeps its sessions and tokens: the memory of this process. One storage for all models. */
export function memoryAdapters(): (model: string) => Adapter {
  const entries = new Map<string, { payload: AdapterPayload; endsAt: number }>()

  return (model) => {
    const key = (id: string): string => `${model}:${id}`
    const read = (id: string): AdapterPayload | undefined => {
      const entry = entries.get(key(id))
      return entry === undefined || entry.endsAt < Date.now() ? undefined : entry.payload
    }
    const search = (is: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
      for (const [name, { payload }] of entries)
        if (name.startsWith(`${model}:`) && is(payload)) return payload
      return undefined
    }
    return {
      async upsert(id, payload, expiresIn) {
        const endsAt = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000
        entries.set(key(id), { payload, endsAt })
      },
      async find(id) {
        return read(id)
      },
      async findByUid(uid) {
        return search((payload) => payload.uid === uid)
      },
      async findByUserCode(userCode) {
        return search((payload) => payload.userCode === userCode)
      },
      async consume(id) {
        const payload = read(id)
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
      },
      async destroy(id) {
        entries.delete(key(id))
      },
      async revokeByGrantId(grantId) {
        for (const [name, { payload }] of entries)
          if (payload.grantId === grantId) entries.delete(name)
      },
    }
  }
}
