/** Tells the realm about a fault in somebody else's callback, without throwing into our own flow. */
export function reportFault(fault: unknown): void {
  const report = globalThis.reportError as ((fault: unknown) => void) | undefined
  if (report === undefined) console.error(fault)
  else report(fault)
}
