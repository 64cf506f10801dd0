import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const docs = join(root, 'docs/recipes')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const recipes = readdirSync(docs).filter((name) => name !== 'README.md')
/** A block of code that names its file: ```` ```ts test/recipes/ky/client.ts ````. */
const BLOCK = /^(```\w+ (test\/recipes\/\S+)\n)[\s\S]*?^```$/gm
const filesOf = (recipe: string): string[] =>
  [...read(`docs/recipes/${recipe}`).matchAll(BLOCK)].map(([, , file]) => file as string)

/** The code of a recipe: what is in its folder and is no test. */
const code = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((folder) =>
    readdirSync(join(import.meta.dirname, folder.name))
      .filter((file) => !file.includes('.test.'))
      .map((file) => `test/recipes/${folder.name}/${file}`),
  )

describe('the recipes', () => {
  // With `vitest -u` the document is written anew from the files.
  it.each(recipes)('%s shows the very code that is tested', async (recipe) => {
    expect(filesOf(recipe)).not.toEqual([])
    const text = read(`docs/recipes/${recipe}`).replace(
      BLOCK,
      (_block, fence: string, file: string) => `${fence}${read(file)}\`\`\``,
    )
    await expect(text).toMatchFileSnapshot(join(docs, recipe))
  })

  it('show all the code that is tested', () => {
    expect(recipes.flatMap(filesOf).toSorted()).toEqual(code.toSorted())
  })

  it('are each tested and listed', () => {
    const index = read('docs/recipes/README.md')
    for (const recipe of recipes) {
      const name = recipe.replace('.md', '')
      expect(index).toContain(`](${recipe})`)
      expect(readdirSync(join(import.meta.dirname, name)).join(' ')).toMatch(/\.test\.tsx?\b/)
    }
  })
})
