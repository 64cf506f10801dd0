import { useState, useSyncExternalStore } from 'react'

/** How often the page has come out of the back/forward cache since this component was made. Renders at once when it does. */
export function useRestorations(): number {
  const [{ subscribe, count }] = useState(watchRestorations)
  return useSyncExternalStore(subscribe, count, none)
}

const none = (): number => 0

function watchRestorations() {
  let restorations = 0
  return {
    count: () => restorations,
    subscribe(listener: () => void) {
      function onShow({ persisted }: PageTransitionEvent): void {
        if (!persisted) return
        restorations += 1
        listener()
      }
      window.addEventListener('pageshow', onShow)
      return () => window.removeEventListener('pageshow', onShow)
    },
  }
}
