/**
 * Makes the error for a store that failed. It names the store, the operation and the code of what happened; the message
 * and the cause of the driver's own error stay behind, since they may quote what was written.
 */
export function storeFailure(store: string, operation: string, error: unknown): Error {
  const failure = new Error(`${store}: ${operation} failed (${codeOf(error)})`)
  failure.name = 'SessionStoreError'
  return failure
}

/** `ECONNREFUSED`, `ERR_SQLITE_ERROR 13`, or the word that a Redis error begins with. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  const word =
    typeof code === 'string' ? code : (/^[A-Z]+(?= )/.exec(error.message)?.[0] ?? error.name)
  return typeof errcode === 'number' ? `${word} ${errcode}` : word
}
