import { useEffect, useRef, type ReactNode } from 'react'

/**
 * The children, which keep their state while they are hidden: then they are neither painted nor read out nor to be focused.
 * Hiding takes the focus away; it is given back to where it was, unless it has gone elsewhere meanwhile.
 */
export function Kept({
  isHidden,
  children,
}: {
  readonly isHidden: boolean
  readonly children: ReactNode
}): ReactNode {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!isHidden) return
    const { activeElement } = document
    const hadFocus = element.current?.contains(activeElement) === true
    return () => {
      const isFree = document.activeElement === document.body
      if (hadFocus && isFree && activeElement instanceof HTMLElement)
        activeElement.focus({ preventScroll: true })
    }
  }, [isHidden])
  // A style and not `hidden`, which any rule of the page for `div` would undo. Shown, the box is none to the layout.
  return (
    <div ref={element} style={{ display: isHidden ? 'none' : 'contents' }}>
      {children}
    </div>
  )
}
