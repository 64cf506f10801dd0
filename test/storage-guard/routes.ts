// No window's postMessage, and most of what is listened to here is a port.
/* oxlint-disable unicorn/require-post-message-target-origin, unicorn/prefer-add-event-listener */
/** Runs in the page. */
type Step = (token: string) => unknown

/** A way to keep the token, or to send it away. */
export interface Route {
  readonly name: string
  /**
   * `blocked`: it did not happen. `undone`: it happened and was taken back. `detected`: it happened, and the remote is
   * refused. `not stopped`: nobody noticed.
   */
  readonly answer: 'blocked' | 'undone' | 'detected' | 'not stopped'
  /** What runs before the guard goes up, such as code that keeps references. */
  readonly prepare?: Step
  readonly write: Step
  readonly landed: Step
}

const inLocal: Step = (token) => JSON.stringify(Object.entries(localStorage)).includes(token)
const inSession: Step = (token) => JSON.stringify(Object.entries(sessionStorage)).includes(token)
const inCookie: Step = (token) => document.cookie.includes(token)
const heard: Step = async () => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  return Object.hasOwn(kept, 'heard')
}
const inCache: Step = async (token) => {
  for (const name of await caches.keys()) {
    if (name.includes(token)) return true
    const cache = await caches.open(name)
    for (const request of await cache.keys()) {
      const response = await cache.match(request)
      const all = `${request.url} ${response?.headers.get('x-kept')} ${await response?.text()}`
      if (all.includes(token)) return true
    }
  }
  return false
}
/** Opens a store of its own, so that a write is one call. */
const openStore: Step = () =>
  new Promise<void>((resolve) => {
    const opening = indexedDB.open('kept', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('store').put('old', 'old')
    opening.onsuccess = () => {
      Object.assign(kept, { database: opening.result })
      resolve()
    }
  })
const inStore: Step = (token) =>
  new Promise<boolean>((resolve) => {
    const database = (kept as unknown as { database: IDBDatabase }).database
    const store = database.transaction('store').objectStore('store')
    const values = store.getAll()
    const keys = store.getAllKeys()
    keys.onsuccess = () => resolve(JSON.stringify([values.result, keys.result]).includes(token))
  })
const inFiles: Step = async (token) => {
  const root = await navigator.storage.getDirectory()
  for await (const [, handle] of root as unknown as AsyncIterable<[string, FileSystemFileHandle]>) {
    if ((await (await handle.getFile()).text()).includes(token)) return true
  }
  return false
}

export const ROUTES: readonly Route[] = [
  {
    name: 'localStorage.setItem(key, token)',
    answer: 'blocked',
    write: (token) => localStorage.setItem('x', token),
    landed: inLocal,
  },
  {
    name: 'localStorage.setItem(token, value)',
    answer: 'blocked',
    write: (token) => localStorage.setItem(token, 'x'),
    landed: inLocal,
  },
  {
    name: 'localStorage.x = token',
    answer: 'blocked',
    write: (token) => {
      localStorage['x'] = token
    },
    landed: inLocal,
  },
  {
    name: 'localStorage[token] = value',
    answer: 'blocked',
    write: (token) => {
      localStorage[token] = 'x'
    },
    landed: inLocal,
  },
  {
    name: 'Reflect.set(localStorage, …)',
    answer: 'blocked',
    write: (token) => {
      Reflect.set(localStorage, 'x', token)
    },
    landed: inLocal,
  },
  {
    name: 'Object.assign(localStorage, …)',
    answer: 'blocked',
    write: (token) => void Object.assign(localStorage, { x: token }),
    landed: inLocal,
  },
  {
    name: 'Object.defineProperty(localStorage, …)',
    answer: 'blocked',
    write: (token) =>
      void Object.defineProperty(localStorage, 'x', {
        value: token,
        configurable: true,
        enumerable: true,
        writable: true,
      }),
    landed: inLocal,
  },
  {
    name: 'Storage.prototype.setItem.call(localStorage, …)',
    answer: 'blocked',
    write: (token) => Storage.prototype.setItem.call(localStorage, 'x', token),
    landed: inLocal,
  },
  {
    name: 'setItem.call of an area kept from before',
    answer: 'blocked',
    prepare: () => void Object.assign(kept, { area: localStorage }),
    write: (token) => Storage.prototype.setItem.call((kept as { area?: Storage }).area, 'x', token),
    landed: inLocal,
  },
  {
    name: "localStorage of the window's descriptor",
    answer: 'blocked',
    write: (token) => {
      const area = Object.getOwnPropertyDescriptor(window, 'localStorage')?.get?.call(window)
      ;(area as Storage)['x'] = token
    },
    landed: inLocal,
  },
  {
    name: 'an object whose toString answers once with the token',
    answer: 'blocked',
    write: (token) => {
      let reads = 0
      const sly = { toString: () => ((reads += 1) === 1 ? token : 'harmless') }
      localStorage.setItem('x', sly as unknown as string)
    },
    landed: inLocal,
  },
  {
    name: 'an object whose toString answers the second time with the token',
    answer: 'blocked',
    write: (token) => {
      let reads = 0
      const sly = { toString: () => ((reads += 1) > 1 ? token : 'harmless') }
      localStorage.setItem('x', sly as unknown as string)
      localStorage.setItem('x', sly as unknown as string)
    },
    landed: inLocal,
  },
  {
    name: 'sessionStorage.setItem',
    answer: 'blocked',
    write: (token) => sessionStorage.setItem('x', token),
    landed: inSession,
  },
  {
    name: 'sessionStorage.x = token',
    answer: 'blocked',
    write: (token) => {
      sessionStorage['x'] = token
    },
    landed: inSession,
  },
  {
    name: 'document.cookie = …',
    answer: 'blocked',
    write: (token) => {
      document.cookie = `x=${token}`
    },
    landed: inCookie,
  },
  {
    name: 'the setter of Document.prototype.cookie',
    answer: 'blocked',
    write: (token) =>
      Object.getOwnPropertyDescriptor(Document.prototype, 'cookie')?.set?.call(
        document,
        `x=${token}`,
      ),
    landed: inCookie,
  },
  {
    name: 'cookieStore.set(name, token)',
    answer: 'blocked',
    write: (token) => cookieStore.set('x', token),
    landed: inCookie,
  },
  {
    name: 'cookieStore.set({ value: token })',
    answer: 'blocked',
    write: (token) => cookieStore.set({ name: 'x', value: token }),
    landed: inCookie,
  },
  {
    name: 'window.name = token',
    answer: 'blocked',
    write: (token) => {
      window.name = token
    },
    landed: (token) => window.name.includes(token),
  },
  {
    name: 'history.pushState(token)',
    answer: 'blocked',
    write: (token) => history.pushState({ token }, ''),
    landed: (token) => JSON.stringify(history.state).includes(token),
  },
  {
    name: 'history.replaceState(…, url with the token)',
    answer: 'blocked',
    write: (token) => history.replaceState(null, '', `?x=${token}`),
    landed: (token) => location.href.includes(token),
  },
  {
    name: 'location.hash = token',
    answer: 'blocked',
    write: (token) => {
      location.hash = token
    },
    landed: (token) => location.href.includes(token),
  },
  {
    name: 'location.href = url with the token',
    answer: 'blocked',
    write: (token) => {
      location.href = `#${token}`
    },
    landed: (token) => location.href.includes(token),
  },
  {
    name: 'a click on a link with the token',
    answer: 'blocked',
    write: (token) => {
      const link = document.createElement('a')
      link.href = `#${token}`
      link.click()
    },
    landed: (token) => location.href.includes(token),
  },
  {
    name: 'navigation.navigate(…, { state })',
    answer: 'blocked',
    write: async (token) => {
      await navigation.navigate('#x', { state: token }).finished?.catch(() => {})
    },
    landed: (token) => JSON.stringify(navigation.currentEntry?.getState() ?? 0).includes(token),
  },
  {
    name: 'navigation.updateCurrentEntry({ state })',
    answer: 'blocked',
    write: (token) => navigation.updateCurrentEntry({ state: { token } }),
    landed: (token) => JSON.stringify(navigation.currentEntry?.getState() ?? 0).includes(token),
  },
  {
    name: 'IDBObjectStore.put',
    answer: 'blocked',
    prepare: openStore,
    write: (token) =>
      void (kept as unknown as { database: IDBDatabase }).database
        .transaction('store', 'readwrite')
        .objectStore('store')
        .put({ deep: [new Map([['x', token]])], flat: token }, 'x'),
    landed: inStore,
  },
  {
    name: 'IDBObjectStore.add',
    answer: 'blocked',
    prepare: openStore,
    write: (token) =>
      void (kept as unknown as { database: IDBDatabase }).database
        .transaction('store', 'readwrite')
        .objectStore('store')
        .add({ [token]: 1 }, 'x'),
    landed: inStore,
  },
  {
    name: 'IDBObjectStore.put with the token as the key',
    answer: 'blocked',
    prepare: openStore,
    write: (token) =>
      void (kept as unknown as { database: IDBDatabase }).database
        .transaction('store', 'readwrite')
        .objectStore('store')
        .put('x', token),
    landed: inStore,
  },
  {
    name: 'IDBCursor.update',
    answer: 'blocked',
    prepare: openStore,
    write: (token) =>
      new Promise<void>((resolve, reject) => {
        const opening = (kept as unknown as { database: IDBDatabase }).database
          .transaction('store', 'readwrite')
          .objectStore('store')
          .openCursor()
        opening.onsuccess = () => {
          try {
            opening.result?.update(token)
            resolve()
          } catch (error) {
            reject(error)
          }
        }
      }),
    landed: inStore,
  },
  {
    name: 'the name of an IndexedDB database',
    answer: 'blocked',
    write: (token) =>
      new Promise<void>((resolve) => {
        indexedDB.open(token).onsuccess = () => resolve()
      }),
    landed: async (token) => (await indexedDB.databases()).some(({ name }) => name === token),
  },
  {
    name: 'BroadcastChannel.postMessage',
    answer: 'blocked',
    prepare: () => {
      new BroadcastChannel('x').onmessage = ({ data }) => Object.assign(kept, { heard: data })
    },
    write: (token) => new BroadcastChannel('x').postMessage({ token }),
    landed: heard,
  },
  {
    name: 'window.postMessage',
    answer: 'blocked',
    prepare: () =>
      addEventListener('message', ({ data }) => Object.assign(kept, { heard: data as string })),
    write: (token) => window.postMessage(token, '*'),
    landed: heard,
  },
  {
    name: 'MessagePort.postMessage',
    answer: 'blocked',
    write: (token) => {
      const { port1, port2 } = new MessageChannel()
      port2.onmessage = ({ data }) => Object.assign(kept, { heard: data as string })
      port1.postMessage([token])
    },
    landed: heard,
  },
  {
    name: 'Worker.postMessage to a worker that is there',
    answer: 'blocked',
    prepare: () => void Object.assign(kept, { worker: new Worker('/worker.js') }),
    write: (token) => (kept as unknown as { worker: Worker }).worker.postMessage(token),
    landed: async (token) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      return (await (await caches.match('/w'))?.text()) === token
    },
  },
  {
    name: 'postMessage of a frame that is there',
    answer: 'blocked',
    prepare: () => {
      const frame = document.createElement('iframe')
      document.body.append(frame)
      frame.contentWindow?.addEventListener('message', ({ data }) =>
        Object.assign(kept, { heard: data as string }),
      )
    },
    write: (token) => window[0]?.postMessage(token, '*'),
    landed: heard,
  },
  {
    name: 'localStorage of a frame that is there',
    answer: 'blocked',
    prepare: () => document.body.append(document.createElement('iframe')),
    write: (token) => window[0]?.localStorage.setItem('x', token),
    landed: inLocal,
  },
  {
    name: 'Cache.put with the token in the body',
    answer: 'blocked',
    write: async (token) => (await caches.open('x')).put('/x', new Response(`{"t":"${token}"}`)),
    landed: inCache,
  },
  {
    name: 'Cache.put with the token in a header',
    answer: 'blocked',
    write: async (token) =>
      (await caches.open('x')).put('/x', new Response('', { headers: { 'x-kept': token } })),
    landed: inCache,
  },
  {
    name: 'Cache.put with the token in the address',
    answer: 'blocked',
    write: async (token) =>
      (await caches.open('x')).put(new Request(`/?${token}`), new Response('')),
    landed: inCache,
  },
  {
    name: 'Cache.add',
    answer: 'blocked',
    write: async (token) => (await caches.open('x')).add(`/?${token}`),
    landed: inCache,
  },
  {
    name: 'Cache.addAll',
    answer: 'blocked',
    write: async (token) =>
      (await caches.open('x')).addAll(['/', new URL(`/?${token}`, location.href) as never]),
    landed: inCache,
  },
  {
    name: 'the name of a cache',
    answer: 'blocked',
    write: (token) => caches.open(token),
    landed: inCache,
  },
  {
    name: 'a file of the origin private file system',
    answer: 'blocked',
    write: async (token) => {
      const root = await navigator.storage.getDirectory()
      const file = await (await root.getFileHandle('x', { create: true })).createWritable()
      try {
        await file.write(token)
      } finally {
        await file.close()
      }
    },
    landed: inFiles,
  },
  {
    name: 'a writer of such a file, with bytes',
    answer: 'blocked',
    write: async (token) => {
      const root = await navigator.storage.getDirectory()
      const file = await (await root.getFileHandle('x', { create: true })).createWritable()
      const writer = file.getWriter()
      try {
        await writer.write(new TextEncoder().encode(token))
      } finally {
        await writer.close()
      }
    },
    landed: inFiles,
  },
  {
    name: 'a storage bucket',
    answer: 'blocked',
    write: async (token) => {
      const { storageBuckets } = navigator as unknown as {
        storageBuckets: { open(name: string): Promise<{ caches: CacheStorage }> }
      }
      const bucket = await storageBuckets.open('x')
      await (await bucket.caches.open('x')).put('/x', new Response(token))
    },
    landed: async (token) => {
      const { storageBuckets } = navigator as unknown as {
        storageBuckets: { open(name: string): Promise<{ caches: CacheStorage }> }
      }
      const bucket = await storageBuckets.open('x')
      return (await (await (await bucket.caches.open('x')).match('/x'))?.text()) === token
    },
  },
  {
    name: 'a new frame, appended',
    answer: 'blocked',
    write: (token) => {
      const frame = document.createElement('iframe')
      document.body.appendChild(frame)
      frame.contentWindow?.localStorage.setItem('x', token)
    },
    landed: inLocal,
  },
  {
    name: 'a new frame, inside of something else',
    answer: 'blocked',
    write: (token) => {
      const parsed = new DOMParser().parseFromString('<p><iframe></iframe></p>', 'text/html')
      document.body.append(document.adoptNode(parsed.body.firstChild as Node))
      window[0]?.localStorage.setItem('x', token)
    },
    landed: inLocal,
  },
  {
    name: 'a new frame by innerHTML',
    answer: 'blocked',
    write: (token) => {
      document.body.innerHTML = '<IFRAME></IFRAME>'
      window[0]?.localStorage.setItem('x', token)
    },
    landed: inLocal,
  },
  {
    name: 'a new frame by insertAdjacentHTML',
    answer: 'blocked',
    write: (token) => {
      document.body.insertAdjacentHTML('beforeend', '<iframe></iframe>')
      window[0]?.localStorage.setItem('x', token)
    },
    landed: inLocal,
  },
  {
    name: 'a new object element',
    answer: 'blocked',
    write: async (token) => {
      const element = document.createElement('object')
      element.data = '/'
      document.body.append(element)
      await new Promise((resolve) => setTimeout(resolve, 150))
      element.contentWindow?.localStorage.setItem('x', token)
    },
    landed: inLocal,
  },
  {
    name: 'a new worker',
    answer: 'blocked',
    write: async (token) => {
      new Worker('/worker.js').postMessage(token.split('').join(' '))
      await new Promise((resolve) => setTimeout(resolve, 300))
    },
    landed: async () => (await caches.match('/w')) !== undefined,
  },
  {
    name: 'a new worker, by the constructor of one that is there',
    answer: 'blocked',
    prepare: () => void Object.assign(kept, { worker: new Worker('/worker.js') }),
    write: async (token) => {
      const { constructor } = (kept as unknown as { worker: Worker }).worker
      new (constructor as typeof Worker)('/worker.js').postMessage(token.split('').join(' '))
      await new Promise((resolve) => setTimeout(resolve, 300))
    },
    landed: async () => (await caches.match('/w')) !== undefined,
  },
  {
    name: 'a new shared worker',
    answer: 'blocked',
    write: async (token) => {
      new SharedWorker('/worker.js').port.postMessage(token.split('').join(' '))
      await new Promise((resolve) => setTimeout(resolve, 300))
    },
    landed: async () => (await caches.match('/w')) !== undefined,
  },
  {
    name: 'a service worker',
    answer: 'blocked',
    write: () => navigator.serviceWorker.register('/worker.js'),
    landed: async () => (await navigator.serviceWorker.getRegistrations()).length > 0,
  },
  {
    name: 'a popup',
    answer: 'blocked',
    write: (token) => window.open('about:blank')?.localStorage.setItem('x', token),
    landed: inLocal,
  },
  {
    name: 'a setItem kept from before',
    answer: 'undone',
    prepare: () =>
      void Object.assign(kept, { setItem: Storage.prototype.setItem, area: localStorage }),
    write: (token) => {
      const { setItem, area } = kept as unknown as { setItem: Storage['setItem']; area: Storage }
      setItem.call(area, 'x', token)
    },
    landed: inLocal,
  },
  {
    name: 'a property of an area kept from before',
    answer: 'undone',
    prepare: () => void Object.assign(kept, { area: localStorage }),
    write: (token) => {
      ;(kept as unknown as { area: Storage }).area['x'] = token
    },
    landed: inLocal,
  },
  {
    name: 'a property of a session area kept from before',
    answer: 'undone',
    prepare: () => void Object.assign(kept, { area: sessionStorage }),
    write: (token) => {
      ;(kept as unknown as { area: Storage }).area['x'] = token
    },
    landed: inSession,
  },
  {
    name: 'such a property, removed at once',
    answer: 'detected',
    prepare: () => void Object.assign(kept, { area: localStorage }),
    write: (token) => {
      const { area } = kept as unknown as { area: Storage }
      area['x'] = token
      delete area['x']
      Object.assign(kept, { written: token })
    },
    landed: () => Object.hasOwn(kept, 'written'),
  },
  {
    name: 'a cookie setter kept from before',
    answer: 'undone',
    prepare: () =>
      void Object.assign(kept, {
        set: Object.getOwnPropertyDescriptor(Document.prototype, 'cookie')?.set,
      }),
    write: (token) =>
      (kept as unknown as { set: (cookie: string) => void }).set.call(document, `x=${token}`),
    landed: inCookie,
  },
  {
    name: 'a setter of window.name kept from before',
    answer: 'undone',
    prepare: () =>
      void Object.assign(kept, { set: Object.getOwnPropertyDescriptor(window, 'name')?.set }),
    write: (token) => (kept as unknown as { set: (name: string) => void }).set.call(window, token),
    landed: (token) => window.name.includes(token),
  },
  {
    name: 'a replaceState kept from before, with the token in the state',
    answer: 'undone',
    prepare: () => void Object.assign(kept, { write: History.prototype.replaceState }),
    write: (token) =>
      (kept as unknown as { write: History['replaceState'] }).write.call(history, token, ''),
    landed: (token) => JSON.stringify(history.state).includes(token),
  },
  {
    name: 'a pushState kept from before, with the token in the address',
    answer: 'blocked',
    prepare: () => void Object.assign(kept, { write: History.prototype.pushState }),
    write: (token) =>
      (kept as unknown as { write: History['pushState'] }).write.call(history, 0, '', `#${token}`),
    landed: (token) => location.href.includes(token),
  },
  {
    name: 'localStorage of a frame made with an appendChild kept from before',
    answer: 'undone',
    prepare: () => void Object.assign(kept, { append: Node.prototype.appendChild }),
    write: (token) => {
      const { append } = kept as unknown as { append: Node['appendChild'] }
      const frame = append.call(document.body, document.createElement('iframe'))
      ;(frame as HTMLIFrameElement).contentWindow?.localStorage.setItem('x', token)
    },
    landed: inLocal,
  },
  {
    name: 'the cookies of such a frame',
    answer: 'undone',
    prepare: () => void Object.assign(kept, { append: Node.prototype.appendChild }),
    write: (token) => {
      const { append } = kept as unknown as { append: Node['appendChild'] }
      const frame = append.call(document.body, document.createElement('iframe'))
      const { contentDocument } = frame as HTMLIFrameElement
      if (contentDocument !== null) contentDocument.cookie = `x=${token}`
    },
    landed: inCookie,
  },
  {
    name: 'a Blob sent as a message',
    answer: 'detected',
    write: (token) => {
      const { port1, port2 } = new MessageChannel()
      port2.onmessage = ({ data }) => Object.assign(kept, { heard: data as Blob })
      port1.postMessage(new Blob([token]))
    },
    landed: heard,
  },
  {
    name: 'a Blob in IndexedDB',
    answer: 'detected',
    prepare: openStore,
    write: (token) =>
      void (kept as unknown as { database: IDBDatabase }).database
        .transaction('store', 'readwrite')
        .objectStore('store')
        .put({ blob: new Blob([token]) }, 'x'),
    landed: () =>
      new Promise((resolve) => {
        const database = (kept as unknown as { database: IDBDatabase }).database
        const reading = database.transaction('store').objectStore('store').get('x')
        reading.onsuccess = () => resolve(reading.result !== undefined)
      }),
  },
  {
    name: 'an IDBObjectStore.put kept from before',
    answer: 'not stopped',
    prepare: () =>
      new Promise<void>((resolve) => {
        const opening = indexedDB.open('kept', 1)
        opening.onupgradeneeded = () => opening.result.createObjectStore('store')
        opening.onsuccess = () => {
          Object.assign(kept, { database: opening.result, put: IDBObjectStore.prototype.put })
          resolve()
        }
      }),
    write: (token) => {
      const { put, database } = kept as unknown as {
        put: IDBObjectStore['put']
        database: IDBDatabase
      }
      put.call(database.transaction('store', 'readwrite').objectStore('store'), token, 'x')
    },
    landed: inStore,
  },
  {
    name: 'a postMessage kept from before',
    answer: 'not stopped',
    prepare: () => {
      Object.assign(kept, { post: MessagePort.prototype.postMessage })
    },
    write: (token) => {
      const { post } = kept as unknown as { post: MessagePort['postMessage'] }
      const { port1, port2 } = new MessageChannel()
      port2.onmessage = ({ data }) => Object.assign(kept, { heard: data as string })
      post.call(port1, token)
    },
    landed: heard,
  },
  {
    name: 'caches of a frame made with an appendChild kept from before',
    answer: 'not stopped',
    prepare: () => void Object.assign(kept, { append: Node.prototype.appendChild }),
    write: async (token) => {
      const { append } = kept as unknown as { append: Node['appendChild'] }
      const frame = append.call(document.body, document.createElement('iframe'))
      const view = (frame as HTMLIFrameElement).contentWindow as Window & typeof globalThis
      await (await view.caches.open('x')).put('/x', new view.Response(token))
    },
    landed: inCache,
  },
  {
    name: 'an object whose getter answers the second time with the token',
    answer: 'not stopped',
    write: (token) => {
      let reads = 0
      const { port1, port2 } = new MessageChannel()
      port2.onmessage = ({ data }) => {
        if ((data as { sly: string }).sly === token) Object.assign(kept, { heard: token })
      }
      const sly = {
        get sly() {
          return (reads += 1) === 2 ? token : 'harmless'
        },
      }
      port1.postMessage(sly)
      port1.postMessage(sly)
    },
    landed: heard,
  },
  {
    name: 'the token backwards, or in another form of its own',
    answer: 'not stopped',
    write: (token) => localStorage.setItem('x', token.split('').toReversed().join('')),
    landed: (token) => localStorage.getItem('x') === token.split('').toReversed().join(''),
  },
  {
    name: 'the token in three parts',
    answer: 'not stopped',
    write: (token) => {
      for (const part of [0, 1, 2])
        localStorage.setItem(`x${part}`, token.slice(part * 240, part * 240 + 240))
    },
    landed: (token) => [0, 1, 2].map((part) => localStorage.getItem(`x${part}`)).join('') === token,
  },
  {
    name: 'a write after hydration',
    answer: 'not stopped',
    write: (token) => void setTimeout(() => localStorage.setItem('x', token), 100),
    landed: inLocal,
  },
]
