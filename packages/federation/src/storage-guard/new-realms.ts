import { apply, asText, construct, descriptorOf, indexOf, lowerCase, uncurry } from './captured.ts'
import { rejected, type Method, type Patches } from './patches.ts'
import { prototypeIn, type Realm, type Sentry } from './sentry.ts'

const FRAMES = 'iframe,frame,object,embed,fencedframe'
const FRAME_TAGS = ['<iframe', '<frame', '<object', '<embed', '<fencedframe'] as const

/** What takes nodes. */
const INSERTIONS: readonly (readonly [owner: string, methods: readonly string[]])[] = [
  ['Node', ['appendChild', 'insertBefore', 'replaceChild']],
  [
    'Element',
    [
      'append',
      'prepend',
      'before',
      'after',
      'replaceWith',
      'replaceChildren',
      'insertAdjacentElement',
      'moveBefore',
    ],
  ],
  ['CharacterData', ['before', 'after', 'replaceWith']],
  ['DocumentFragment', ['append', 'prepend', 'replaceChildren', 'moveBefore']],
  ['Document', ['append', 'prepend', 'replaceChildren']],
  ['Range', ['insertNode', 'surroundContents']],
]

/** What takes markup. */
const MARKUP_METHODS: readonly (readonly [owner: string, methods: readonly string[]])[] = [
  ['Element', ['insertAdjacentHTML', 'setHTMLUnsafe']],
  ['ShadowRoot', ['setHTMLUnsafe']],
  ['Document', ['write', 'writeln', 'execCommand']],
  ['Range', ['createContextualFragment']],
]

/**
 * Refuses what would bring a realm in which nothing is guarded: frames, workers and windows. Only while the sentry says
 * so.
 */
export function guardNewRealms(realm: Realm, patches: Patches, sentry: Sentry): void {
  for (let index = 0; index < INSERTIONS.length; index += 1) {
    const [owner, methods] = INSERTIONS[index] as (typeof INSERTIONS)[number]
    for (let at = 0; at < methods.length; at += 1)
      patches.method(prototypeIn(realm, owner), methods[at] as string, (native) =>
        refusing(native, 'frame', holdsFrame),
      )
  }
  for (let index = 0; index < MARKUP_METHODS.length; index += 1) {
    const [owner, methods] = MARKUP_METHODS[index] as (typeof MARKUP_METHODS)[number]
    for (let at = 0; at < methods.length; at += 1)
      patches.method(prototypeIn(realm, owner), methods[at] as string, (native) =>
        refusing(native, 'frame', namesFrame),
      )
  }
  patches.setter(prototypeIn(realm, 'Element'), 'innerHTML', (native) =>
    refusing(native, 'frame', namesFrame),
  )
  patches.setter(prototypeIn(realm, 'Element'), 'outerHTML', (native) =>
    refusing(native, 'frame', namesFrame),
  )
  patches.setter(prototypeIn(realm, 'ShadowRoot'), 'innerHTML', (native) =>
    refusing(native, 'frame', namesFrame),
  )
  refuseConstruction('Worker', 'worker')
  refuseConstruction('SharedWorker', 'worker')
  patches.method(prototypeIn(realm, 'ServiceWorkerContainer'), 'register', (native) =>
    rejecting(native, 'worker'),
  )
  patches.method(prototypeIn(realm, 'DocumentPictureInPicture'), 'requestWindow', (native) =>
    rejecting(native, 'window'),
  )
  // What a browser answers that blocks a popup.
  patches.method(
    realm,
    'open',
    (native) =>
      ({
        open(this: unknown, ...args: unknown[]): unknown {
          if (!sentry.refusesRealms) return apply(native, this, args)
          sentry.refused('window')
          return null
        },
      }).open,
  )

  function refusing(native: Method, route: string, isOne: (value: unknown) => boolean): Method {
    return {
      method(this: unknown, ...args: unknown[]): unknown {
        if (sentry.refusesRealms)
          for (let index = 0; index < args.length; index += 1)
            if (isOne(args[index])) throw sentry.refused(route)
        return apply(native, this, args)
      },
    }.method
  }

  function rejecting(native: Method, route: string): Method {
    return {
      method(this: unknown, ...args: unknown[]): unknown {
        return sentry.refusesRealms ? rejected(sentry.refused(route)) : apply(native, this, args)
      },
    }.method
  }

  function refuseConstruction(name: 'Worker' | 'SharedWorker', route: string): void {
    patches.replace(realm, name, (original) => {
      const value = new Stand(original.value as new (...args: unknown[]) => object, {
        construct(native, args, newTarget) {
          if (sentry.refusesRealms) throw sentry.refused(route)
          return construct(native, args, newTarget) as object
        },
      })
      // An instance that is there already would lead to the native one.
      patches.replace(prototypeIn(realm, name), 'constructor', (own) => ({ ...own, value }))
      return { ...original, value }
    })
  }
}

const Stand = Proxy
const getter = (owner: { readonly prototype: object } | undefined, name: string): Method =>
  (owner && (descriptorOf(owner.prototype, name)?.get as Method | undefined)) ?? (() => undefined)

type Select<Answer> = (this: unknown, selector: string) => Answer
const { Node: NativeNode, Element: NativeElement } = globalThis
const nodeType = uncurry(getter(NativeNode, 'nodeType')) as (node: unknown) => number
const firstChild = uncurry(getter(NativeNode, 'firstChild'))
const matches = uncurry((NativeElement?.prototype.matches ?? (() => false)) as Select<boolean>)
const find = uncurry((NativeElement?.prototype.querySelector ?? (() => null)) as Select<unknown>)
const findInFragment = uncurry(
  (globalThis.DocumentFragment?.prototype.querySelector ?? (() => null)) as Select<unknown>,
)

function holdsFrame(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  try {
    const type = nodeType(value)
    if (type === 1)
      return matches(value, FRAMES) || (firstChild(value) !== null && find(value, FRAMES) !== null)
    return type === 11 && findInFragment(value, FRAMES) !== null
  } catch {
    // No node: the native method says so.
    return false
  }
}

function namesFrame(value: unknown): boolean {
  const text = asText(value)
  if (typeof text !== 'string') return false
  const markup = lowerCase(text)
  for (let index = 0; index < FRAME_TAGS.length; index += 1)
    if (indexOf(markup, FRAME_TAGS[index] as string) >= 0) return true
  return false
}
