import { pageNonce } from './integrity-map.ts'

/** Longest wait for one list or file, milliseconds: as long as the Module Federation runtime waits for an entry. */
export const LOAD_TIMEOUT = 20_000

/** Puts the element into the page and says whether the browser took what it is for. */
export async function wasTaken(element: HTMLElement): Promise<boolean> {
  element.nonce = pageNonce()
  const isTaken = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), LOAD_TIMEOUT)
    const settle = (outcome: boolean) => () => {
      clearTimeout(timer)
      resolve(outcome)
    }
    element.addEventListener('load', settle(true), { once: true })
    element.addEventListener('error', settle(false), { once: true })
    document.head.append(element)
  })
  element.remove()
  return isTaken
}
