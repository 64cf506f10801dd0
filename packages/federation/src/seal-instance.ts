import type { ModuleFederation } from '@module-federation/runtime'

/** Decides what an event comes to: its result is the only one that the runtime sees. */
export type Decision = (others: (args: unknown) => unknown, args: never) => unknown

/** The lifecycles of a Module Federation instance that the gate decides, and how. */
export interface Decisions {
  readonly core: Readonly<Record<string, Decision>>
  readonly remote: Readonly<Record<string, Decision>>
  readonly loader: Readonly<Record<string, Decision>>
  readonly shared: Readonly<Record<string, Decision>>
}

interface Hook {
  emit: (args: unknown) => unknown
}
type Holder = Record<string, unknown>

/**
 * Puts decisions where no plugin gets at them. A listener of ours would be one of several: of the results of `loadEntry`
 * the last one wins, whoever registers later comes later, and `removeAll()` takes it away. Here the event's own `emit`
 * is ours, and the way from the instance to it cannot be replaced.
 */
export function sealInstance(instance: ModuleFederation, decisions: Decisions): void {
  const owners = [
    [instance, 'hooks', decisions.core],
    [instance.remoteHandler, 'hooks', decisions.remote],
    [instance, 'loaderHook', decisions.loader],
    [instance.sharedHandler, 'hooks', decisions.shared],
  ] as const
  for (const name of ['remoteHandler', 'sharedHandler']) fix(instance, name)
  for (const [owner, name, byName] of owners) {
    fix(owner, name)
    const system = (owner as unknown as Record<string, Holder>)[name] as Holder
    fix(system, 'lifecycle')
    for (const [event, decide] of Object.entries(byName)) {
      const lifecycle = system['lifecycle'] as Record<string, Hook>
      const hook = lifecycle[event]
      if (hook === undefined)
        throw new TypeError(
          `authGatePlugin: this version of the Module Federation runtime has no "${event}".`,
        )
      const others = hook.emit.bind(hook)
      Object.defineProperty(hook, 'emit', {
        value: (args: never) => decide(others, args),
        writable: false,
        configurable: false,
      })
      fix(lifecycle, event)
    }
  }
}

/** Leaves a property as it is, for good. */
export function fix(owner: object, name: string): void {
  const value: unknown = (owner as Holder)[name]
  Object.defineProperty(owner, name, { value, writable: false, configurable: false })
}
