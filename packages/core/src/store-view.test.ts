import { afterEach, describe, expect, it, vi } from 'vitest'
import { snapshotOf } from './fixtures.test.support.ts'
import { createMarks, createRefusals, createStoreView, harmless, isSnapshot } from './store-view.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('createStoreView', () => {
  const state = () => ({
    auth: { status: 'ready' },
    cart: { items: [{ id: 1, tags: ['a'] }], add() {} },
    since: new Date(0),
    seen: new Map([['a', { b: 1 }]]),
    socket: new (class {
      readonly send = () => {}
    })(),
    act: () => 1,
  })

  it('shows the data, and nothing that could be called', () => {
    const view = createStoreView()(state())
    expect(view).toEqual({
      auth: { status: 'ready' },
      cart: { items: [{ id: 1, tags: ['a'] }] },
      since: new Date(0),
      seen: new Map([['a', { b: 1 }]]),
      socket: undefined,
    })
  })

  it('leaves functions out wherever they stand, and their names', () => {
    const act = () => 1
    const view = createStoreView()
    expect(view({ list: [act, 1], nothing: null, act })).toStrictEqual({
      list: [undefined, 1],
      nothing: null,
    })
    expect(view(act)).toBeUndefined()
  })

  it('takes an object without a prototype for data', () => {
    const bare = Object.assign(Object.create(null) as Record<string, unknown>, { a: { b: 1 } })
    const view = createStoreView()({ bare })
    expect(view).toEqual({ bare: { a: { b: 1 } } })
    expect(Object.isFrozen(view.bare)).toBe(true)
  })

  it('cannot be used to change the state, however deep', () => {
    const original = state()
    const view = createStoreView()(original)
    expect(() => {
      view.auth = { status: 'forged' }
    }).toThrow(TypeError)
    expect(() => view.cart.items.push({ id: 2, tags: [] })).toThrow(TypeError)
    expect(() => view.cart.items[0]?.tags.push('b')).toThrow(TypeError)
    view.since.setTime(1)
    view.seen.clear()
    expect(original.since.getTime()).toBe(0)
    expect(original.seen.size).toBe(1)
    expect(original.cart.items).toEqual([{ id: 1, tags: ['a'] }])
  })

  it('leaves the state itself as it was, frozen or not', () => {
    const original = state()
    createStoreView()(original)
    expect(Object.isFrozen(original)).toBe(false)
    original.cart.items.push({ id: 2, tags: [] })
    expect(original.cart.items).toHaveLength(2)
  })

  it('keeps the identity of what has not changed', () => {
    const view = createStoreView()
    const before = { auth: { generation: 1 }, cart: { items: [1] } }
    const after = { ...before, auth: { generation: 2 } }
    expect(view(before)).toBe(view(before))
    expect(view(after).cart).toBe(view(before).cart)
    expect(view(after).auth).not.toBe(view(before).auth)
  })

  it.each([
    ['a list', [1]],
    ['a date', new Date(0)],
    ['a map', new Map([['a', 1]])],
  ])('keeps the identity of %s', (_, part) => {
    const view = createStoreView()
    expect(view({ part, count: 2 }).part).toBe(view({ part, count: 1 }).part)
  })

  it('follows a state that contains itself', () => {
    const ring: { self?: unknown } = {}
    ring.self = ring
    const view = createStoreView()(ring)
    expect(view.self).toBe(view)
    const list: unknown[] = []
    list.push(list)
    const viewOfList = createStoreView()(list)
    expect(viewOfList[0]).toBe(viewOfList)
  })

  it('takes a key called __proto__ for data', () => {
    const view = createStoreView()(
      JSON.parse('{"__proto__":{"admin":true}}') as { admin?: boolean },
    )
    expect(view.admin).toBeUndefined()
    expect(Object.getPrototypeOf(view)).toBe(Object.prototype)
  })
})

describe('createStoreView and memory that is shared', () => {
  const shared = () => new Uint8Array(new SharedArrayBuffer(2))

  it.each<[string, (bytes: Uint8Array) => unknown]>([
    ['as it is', (bytes) => bytes],
    ['the buffer itself', ({ buffer }) => buffer],
    ['in a map', (bytes) => new Map([['bytes', bytes]])],
    ['as a key of a map', (bytes) => new Map([[bytes, 1]])],
    ['in a set', (bytes) => new Set([[bytes]])],
    [
      'in a class instance',
      (bytes) =>
        new (class {
          bytes = bytes
        })(),
    ],
  ])('leaves it out: %s', (_, wrap) => {
    expect(createStoreView()({ part: wrap(shared()), count: 1 })).toEqual({
      part: undefined,
      count: 1,
    })
  })

  it('shows a copy of bytes that are not, also in a structure that contains itself', () => {
    const bytes = new Uint8Array([1, 2])
    const ring = new Map<string, unknown>([['bytes', bytes]])
    ring.set('ring', ring)
    const view = createStoreView()({ ring, bytes })
    expect(view.ring.get('bytes')).toEqual(bytes)
    view.bytes[0] = 9
    expect(bytes[0]).toBe(1)
  })
})

describe('in a realm that a remote has patched', () => {
  const patched = <Owner extends object>(owner: Owner, key: keyof Owner, seen: unknown[]) => {
    const original = owner[key] as (...args: unknown[]) => unknown
    // Without anything that is patched itself.
    owner[key] = function spy(this: unknown, ...args: unknown[]) {
      seen[seen.length] = this
      for (let index = 0; index < args.length; index += 1) seen[seen.length] = args[index]
      return Reflect.apply(original, this, args)
    } as Owner[keyof Owner]
    return () => void (owner[key] = original as Owner[keyof Owner])
  }

  it('hands the host’s own state to nobody', () => {
    const state = {
      cart: { items: [{ id: 1 }] },
      since: new Date(0),
      seen: new Map([['a', { b: 1 }]]),
    }
    const view = createStoreView()
    const listener = harmless((_given: object) => {})
    const seen: unknown[] = []
    const restore = [
      patched(WeakMap.prototype, 'has', seen),
      patched(WeakMap.prototype, 'get', seen),
      patched(WeakMap.prototype, 'set', seen),
      patched(Object, 'entries', seen),
      patched(Object, 'keys', seen),
      patched(Object, 'getPrototypeOf', seen),
      patched(Array, 'isArray', seen),
      patched(Array.prototype, Symbol.iterator as never, seen),
      patched(globalThis, 'structuredClone', seen),
    ]
    const shown = view(state)
    listener(state)
    for (const undo of restore) undo()
    expect(shown).toEqual(state)
    const own = new Set<unknown>([
      state,
      state.cart,
      state.cart.items,
      state.cart.items[0],
      state.since,
      state.seen,
    ])
    const live = seen.filter(
      (value) => own.has(value) || (Array.isArray(value) && value.some((item) => own.has(item))),
    )
    expect(live).toEqual([])
  })
})

describe('createMarks', () => {
  it('knows what was added until it is taken, and nothing that is no object', () => {
    const marks = createMarks()
    const object = {}
    marks.add(object)
    marks.add('text')
    expect([object, {}, 'text', null, undefined].map(marks.has)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
    expect(marks.take(object)).toBe(true)
    expect(marks.take(object)).toBe(false)
    expect(marks.has(object)).toBe(false)
  })
})

describe('harmless', () => {
  it('passes arguments on, and reports what is thrown', () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const heard: number[] = []
    const listener = harmless((value: number) => {
      heard.push(value)
      throw new Error('remote')
    })
    expect(() => listener(7)).not.toThrow()
    expect(heard).toEqual([7])
    expect(reported).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'remote' }))
  })
})

describe('isSnapshot', () => {
  const error = { code: 'ERR_MAINTENANCE', message: 'down' } as const
  const snapshot = snapshotOf({ generation: 2, error })

  it('knows the snapshot, a copy of it, and one that redux-persist has signed', () => {
    expect(isSnapshot(snapshot, snapshot)).toBe(true)
    expect(isSnapshot(JSON.parse(JSON.stringify(snapshot)), snapshot)).toBe(true)
    expect(isSnapshot({ ...snapshot, _persist: {} }, snapshot)).toBe(true)
  })

  it.each([
    ['status', { status: 'loading' }],
    ['mode', { mode: 'legacy' }],
    ['generation', { generation: 1 }],
    ['expiry', { expiresAt: null }],
    ['error code', { error: { ...error, code: 'ERR_OFFLINE' } }],
    ['error message', { error: { ...error, message: 'up' } }],
    ['error', { error: null }],
    ['key, which no snapshot has', { user: 'admin' }],
    ['key of an inherited name', { toString: 'admin' }],
    ['symbol', { [Symbol('user')]: 'admin' }],
    ['key in the error', { error: { ...error, user: 'admin' } }],
  ])('tells another %s', (_, difference) => {
    expect(isSnapshot({ ...snapshot, ...difference }, snapshot)).toBe(false)
  })

  it.each([undefined, null, 'ready', 3])('tells %s from a snapshot', (held) => {
    expect(isSnapshot(held, snapshotOf())).toBe(false)
  })
})

describe('createRefusals', () => {
  const refused = expect.objectContaining({
    name: 'ReadOnlyStoreError',
    code: 'ERR_READ_ONLY_STORE',
    message: expect.stringContaining('write() was called on a read-only store'),
  })

  it('makes methods that throw an error that helps', () => {
    expect(createRefusals()('write')).toThrow(refused)
  })

  it('reports who tried what, and nothing of what they tried to write', () => {
    const reportViolation = vi.fn()
    const write = createRefusals({ remote: 'orders', bridge: { reportViolation } })('write')
    expect(() => (write as (value: unknown) => never)({ type: 'secret' })).toThrow(refused)
    expect(reportViolation).toHaveBeenCalledExactlyOnceWith(
      'read-only-store',
      'write() was called on a read-only store',
      'orders',
    )
  })
})
