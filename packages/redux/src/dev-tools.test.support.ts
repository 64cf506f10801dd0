import type { Action, createStore, Reducer, Store, StoreEnhancer } from '@reduxjs/toolkit'

/** The lifted state of the Redux DevTools: every action since the last commit, and the state after each. */
interface Lifted {
  readonly actionsById: Readonly<Record<number, Action>>
  readonly stagedActionIds: readonly number[]
  readonly skippedActionIds: readonly number[]
  readonly nextActionId: number
  readonly committedState: unknown
  readonly currentStateIndex: number
  readonly computedStates: readonly unknown[]
}

type LiftedAction =
  | { readonly type: 'PERFORM_ACTION'; readonly action: Action }
  | { readonly type: 'JUMP_TO_STATE'; readonly index: number }
  | { readonly type: 'TOGGLE_ACTION'; readonly id: number }
  | { readonly type: 'IMPORT_STATE'; readonly nextLiftedState: Lifted | readonly Action[] }
  | { readonly type: 'RESET' | 'COMMIT' | 'ROLLBACK' }

const BEGIN: Action = { type: '@@INIT' }

/**
 * The Redux DevTools without their window, after `@redux-devtools/instrument`: an enhancer whose lifted reducer replays
 * the actions, and whose store shows one of the states it has computed. While an earlier one is shown, further actions
 * are recorded and not shown; jumping, toggling and importing pass no middleware; a new reducer replays everything.
 */
export function devTools() {
  let lifted!: Store<Lifted>

  const enhancer = ((create: typeof createStore) =>
    (reducer: Reducer<unknown>, preloaded: unknown) => {
      lifted = create(liftReducer(reducer, preloaded) as Reducer<Lifted>)
      return {
        ...lifted,
        getState: () => shown(lifted.getState()),
        dispatch(action: Action) {
          lifted.dispatch({ type: 'PERFORM_ACTION', action })
          return action
        },
        replaceReducer: (next: Reducer<unknown>) =>
          lifted.replaceReducer(liftReducer(next, preloaded)),
      }
    }) as unknown as StoreEnhancer

  return {
    enhancer,
    /** What a click in the panel does. */
    send: (action: LiftedAction): unknown => lifted.dispatch(action),
    /** What the panel exports to a file. */
    exported: (): Lifted => JSON.parse(JSON.stringify(lifted.getState())) as Lifted,
    log: (): readonly Action[] => {
      const { stagedActionIds, actionsById } = lifted.getState()
      return stagedActionIds.map((id) => actionsById[id] as Action)
    },
  }
}

const shown = ({ computedStates, currentStateIndex }: Lifted): unknown =>
  computedStates[currentStateIndex]

function liftReducer(reducer: Reducer<unknown>, preloaded: unknown) {
  const begun = (committedState: unknown): Lifted =>
    compute({
      actionsById: { 0: BEGIN },
      stagedActionIds: [0],
      skippedActionIds: [],
      nextActionId: 1,
      committedState,
      currentStateIndex: 0,
      computedStates: [],
    })

  /** The states from `from` on, once more. */
  function compute(lifted: Lifted, from = 0): Lifted {
    const computedStates = lifted.computedStates.slice(0, from)
    for (const id of lifted.stagedActionIds.slice(from)) {
      const previous = computedStates.length === 0 ? lifted.committedState : computedStates.at(-1)
      computedStates.push(
        lifted.skippedActionIds.includes(id)
          ? previous
          : reducer(previous, lifted.actionsById[id] as Action),
      )
    }
    return { ...lifted, computedStates }
  }

  return (lifted: Lifted | undefined, action: LiftedAction | Action): Lifted => {
    if (lifted === undefined) return begun(preloaded)
    const sent = action as LiftedAction
    switch (sent.type) {
      case 'PERFORM_ACTION': {
        const last = lifted.stagedActionIds.length
        return compute(
          {
            ...lifted,
            actionsById: { ...lifted.actionsById, [lifted.nextActionId]: sent.action },
            stagedActionIds: [...lifted.stagedActionIds, lifted.nextActionId],
            nextActionId: lifted.nextActionId + 1,
            currentStateIndex:
              lifted.currentStateIndex === last - 1 ? last : lifted.currentStateIndex,
          },
          last,
        )
      }
      case 'JUMP_TO_STATE':
        return { ...lifted, currentStateIndex: sent.index }
      case 'TOGGLE_ACTION':
        return compute({
          ...lifted,
          skippedActionIds: lifted.skippedActionIds.includes(sent.id)
            ? lifted.skippedActionIds.filter((id) => id !== sent.id)
            : [...lifted.skippedActionIds, sent.id],
        })
      case 'IMPORT_STATE': {
        const { nextLiftedState: next } = sent
        if ('stagedActionIds' in next) return compute(next)
        const actions = [BEGIN, ...next]
        return compute({
          ...begun(preloaded),
          actionsById: Object.fromEntries(actions.entries()),
          stagedActionIds: actions.map((_, id) => id),
          nextActionId: actions.length,
          currentStateIndex: actions.length - 1,
        })
      }
      case 'RESET':
        return begun(preloaded)
      case 'COMMIT':
        return begun(shown(lifted))
      case 'ROLLBACK':
        return begun(lifted.committedState)
      default:
        // Redux has replaced the reducer.
        return compute(lifted)
    }
  }
}
