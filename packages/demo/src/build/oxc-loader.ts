import { transformWithOxc } from 'vite'

interface LoaderContext {
  readonly resourcePath: string
  async(): (error: Error | null, code?: string) => void
}

/** A webpack loader: TypeScript and TSX to JavaScript, with the compiler that Vite brings. */
function oxcLoader(this: LoaderContext, source: string): void {
  const done = this.async()
  transformWithOxc(source, this.resourcePath, {
    sourcemap: false,
    target: 'es2023',
    jsx: { runtime: 'automatic', development: false },
  }).then(
    ({ code }) => done(null, code),
    (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
  )
}

// webpack takes a loader's default export.
export { oxcLoader as default }
