/** A webpack loader: TypeScript and TSX to JavaScript, with the compiler that Vite brings. */
async function oxcLoader(this: { readonly resourcePath: string }, source: string): Promise<string> {
  const { transformWithOxc } = await import('vite')
  const { code } = await transformWithOxc(source, this.resourcePath, {
    sourcemap: false,
    target: 'es2023',
    jsx: { runtime: 'automatic', development: false },
  })
  return code
}

module.exports = oxcLoader
