import { apply, descriptorOf, uncurry } from './captured.ts'
import type { Method } from './patches.ts'
import { prototypeIn, type Realm, type Sentry } from './sentry.ts'

/** Sees what was written, by whatever way, and takes it back. */
export interface Watcher {
  /** The frame that hears of the writes of its parent, in case its realm is to be guarded as well. */
  readonly frame: Realm | undefined
  /** Looks at everything that can be read at once. */
  sweep(): void
  stop(): void
}

/** Milliseconds between two looks at what has no event. */
const INTERVAL = 50

/**
 * Takes what the watcher works with from the realm as it stands now.
 *
 * A document is not told of its own writes to a storage area, so a frame of the same origin is, and the document of those
 * in frames.
 */
export function captureWatcher(realm: Realm): (sentry: Sentry) => Watcher {
  const { document, location, history, setInterval, clearInterval } = realm
  const { cookieStore, navigation } = realm as unknown as {
    readonly cookieStore?: EventTarget
    readonly navigation?: EventTarget
  }
  const areas = [area('localStorage'), area('sessionStorage')] as const
  const read = uncurry(Storage.prototype.getItem)
  const remove = uncurry(Storage.prototype.removeItem)
  const keyAt = uncurry(Storage.prototype.key)
  const sizeOf = getter(Storage.prototype, 'length') as (area: Storage) => number
  const cookies = getter(prototypeIn(realm, 'Document'), 'cookie') as (document: Document) => string
  const setCookie = setter(prototypeIn(realm, 'Document'), 'cookie')
  const nameOf = getter(realm, 'name') as (realm: Realm) => string
  const setName = setter(realm, 'name')
  const stateOf = getter(prototypeIn(realm, 'History'), 'state') as (history: History) => unknown
  const setState = uncurry(History.prototype.replaceState)
  const listen = uncurry(EventTarget.prototype.addEventListener) as Listen
  const ignore = uncurry(EventTarget.prototype.removeEventListener) as Listen
  const prevent = uncurry(Event.prototype.preventDefault)
  const keyOf = getter(StorageEvent.prototype, 'key') as (event: Event) => string | null
  const valueOf = getter(StorageEvent.prototype, 'newValue') as (event: Event) => string | null
  const destinationOf = getter(prototypeIn(realm, 'NavigateEvent'), 'destination')
  const urlOf = getter(prototypeIn(realm, 'NavigationDestination'), 'url')
  const { getState = nothing } = (prototypeIn(realm, 'NavigationDestination') ?? {}) as {
    readonly getState?: (this: unknown) => unknown
  }
  const stateAt = uncurry(getState)
  const changedOf = getter(prototypeIn(realm, 'CookieChangeEvent'), 'changed')
  const createElement = uncurry(Document.prototype.createElement)
  const append = uncurry(Node.prototype.appendChild)
  const removeElement = uncurry(Element.prototype.remove)
  const attachShadow = uncurry(Element.prototype.attachShadow)
  const windowOf = getter(HTMLIFrameElement.prototype, 'contentWindow') as (
    frame: Element,
  ) => Realm | null

  function area(name: 'localStorage' | 'sessionStorage'): Storage | undefined {
    try {
      return realm[name]
    } catch {
      return undefined
    }
  }

  return (sentry) => {
    const isHeld = (value: unknown, route: string): boolean => sentry.holds(value, route)

    /** An area may hold it under several keys. Goes backwards: removing moves those behind. */
    function sweepArea(name: string, storage: Storage | undefined): void {
      if (storage === undefined) return
      for (let index = sizeOf(storage) - 1; index >= 0; index -= 1) {
        const key = keyAt(storage, index)
        if (key === null || !(isHeld(key, name) || isHeld(read(storage, key), name))) continue
        remove(storage, key)
        sentry.caught(name, 'undone')
      }
    }

    const sweepAreas = (): void => {
      sweepArea('localStorage', areas[0])
      sweepArea('sessionStorage', areas[1])
    }

    let lastCookies = ''
    function sweepCookies(): void {
      const text = cookies(document)
      if (text === lastCookies) return
      lastCookies = text
      if (isHeld(text, 'document.cookie')) {
        expire(text)
        sentry.caught('document.cookie', 'undone')
      }
    }

    /** At the path of the page and at the root: a cookie does not say where it was set. */
    function expire(text: string): void {
      let start = 0
      for (let index = 0; index <= text.length; index += 1) {
        if (index < text.length && text[index] !== ';') continue
        let pair = ''
        for (let at = start; at < index; at += 1) pair += text[at]
        start = index + 2
        if (!isHeld(pair, 'document.cookie')) continue
        let name = ''
        for (let at = 0; at < pair.length && pair[at] !== '='; at += 1) name += pair[at]
        apply(setCookie, document, [`${name}=; max-age=0`])
        apply(setCookie, document, [`${name}=; max-age=0; path=/`])
      }
    }

    function sweepPage(): void {
      if (isHeld(nameOf(realm), 'window.name')) {
        apply(setName, realm, [''])
        sentry.caught('window.name', 'undone')
      }
      if (isHeld(location.href, 'location')) {
        const { pathname, search } = location
        setState(
          history,
          stateOf(history),
          '',
          isHeld(search, 'location') ? pathname : pathname + search,
        )
        sentry.caught('location', 'undone')
      }
      if (isHeld(stateOf(history), 'history.state')) {
        setState(history, null, '')
        sentry.caught('history.state', 'undone')
      }
    }

    let lastKey: string | null = null
    let lastValue: string | null = null
    function hearStorage(event: Event): void {
      const key = keyOf(event)
      const value = valueOf(event)
      if (value === null || !(isHeld(value, 'storage') || isHeld(key, 'storage'))) return
      // What another frame writes is heard by both.
      if (key === lastKey && value === lastValue) return
      lastKey = key
      lastValue = value
      const before = sentry.count
      sweepAreas()
      // Gone again, and still it was there.
      if (sentry.count === before) sentry.caught('storage', 'detected')
    }

    function hearNavigation(event: Event): void {
      const destination = destinationOf(event) as object
      if (!isHeld(urlOf(destination), 'location') && !isHeld(stateAt(destination), 'location'))
        return
      prevent(event)
      sentry.caught('location', event.cancelable ? 'blocked' : 'detected')
    }

    function hearCookie(event: Event): void {
      const before = sentry.count
      sweepCookies()
      if (sentry.count === before && isHeld(changedOf(event), 'cookieStore'))
        sentry.caught('cookieStore', 'detected')
    }

    const shell = createElement(document, 'div')
    shell.hidden = true
    const frame = createElement(document, 'iframe')
    append(attachShadow(shell, { mode: 'closed' }), frame)
    append(document.documentElement, shell)
    const view = windowOf(frame) ?? undefined
    if (view !== undefined) listen(view, 'storage', hearStorage, true)
    listen(realm, 'storage', hearStorage, true)
    if (cookieStore !== undefined) listen(cookieStore, 'change', hearCookie)
    if (navigation !== undefined) listen(navigation, 'navigate', hearNavigation)
    const look = setInterval(() => {
      sweepCookies()
      sweepPage()
    }, INTERVAL)

    return {
      frame: view,
      sweep() {
        sweepAreas()
        sweepCookies()
        sweepPage()
      },
      stop() {
        clearInterval(look)
        if (navigation !== undefined) ignore(navigation, 'navigate', hearNavigation)
        if (cookieStore !== undefined) ignore(cookieStore, 'change', hearCookie)
        ignore(realm, 'storage', hearStorage, true)
        removeElement(shell)
      },
    }
  }
}

type Listen = (
  target: EventTarget,
  type: string,
  listener: (event: Event) => void,
  capture?: boolean,
) => void

const nothing = (): undefined => undefined

const getter = (owner: object | undefined, name: string): ((self: unknown) => unknown) =>
  uncurry((owner && descriptorOf(owner, name)?.get) ?? nothing)

const setter = (owner: object | undefined, name: string): Method =>
  ((owner && descriptorOf(owner, name)?.set) as Method | undefined) ?? nothing
