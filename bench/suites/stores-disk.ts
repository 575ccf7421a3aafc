/** The suite of disk space: the same history in the Git store, packed with deltas by `git gc`, and in the database. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Repository } from '../../src/index.ts'
import { copyDependencyTree } from '../contenders/dependency-tree.ts'
import { stores } from '../contenders/stores.ts'
import type { Scenario, Suite } from '../measure/scenario.ts'

const suite = 'stores-disk'
const author = { name: 'Bench', email: 'bench@example.org' }

async function dependencyTree(repository: Repository): Promise<void> {
  const { directory, files, ...tree } = await copyDependencyTree()
  const read = files.map(async ({ path, mode }) => {
    return [path, { content: await readFile(join(directory, path)), mode }] as const
  })
  const changes = Object.fromEntries(await Promise.all(read))
  const made = await repository.commitFiles({ branch: 'main', changes, message: 'all dependencies\n', author })
  await tree[Symbol.asyncDispose]()
  if (made.tree !== tree.oid) throw new Error(`the tree is ${made.tree}, not ${tree.oid}`)
}

const files = 20
const linesPerFile = 250

/** The same lines in every run, as hard to compress as source code. */
function lineOf(file: number, line: number, revision: number): string {
  const mixed = Math.imul(file * 1_000_003 + line * 7919 + revision * 104_729, 2_654_435_761) >>> 0
  return `const value${line} = ${mixed.toString(36)} // ${revision}`
}

/** What deltas are best at, and rows worst: each commit changes one line of a file of 10 KB. */
async function oneLineCommits(repository: Repository): Promise<void> {
  const texts = Array.from({ length: files }, (_file, file) =>
    Array.from({ length: linesPerFile }, (_line, line) => lineOf(file, line, 0))
  )
  for (let revision = 1; revision <= 1000; revision++) {
    const file = revision % files
    const lines = texts[file] as string[]
    const line = (revision * 31) % linesPerFile
    lines[line] = lineOf(file, line, revision)
    const changes = { [`source/f${file}.ts`]: `${lines.join('\n')}\n` }
    await repository.commitFiles({ branch: 'main', changes, message: `Change ${revision}\n`, author })
  }
}

/** The history is made once: its size is the same in each round. */
const disk = (name: string, make: (repository: Repository) => Promise<void>): Scenario => ({
  suite,
  name: `disk of ${name}`,
  unit: 'MiB',
  better: 'less',
  baseline: 'Git store',
  contenders: (['Git store', 'PostgreSQL store'] as const).map((kind) => ({
    name: kind,
    async open() {
      const { repository, sizes, close } = await stores[kind]()
      await make(repository)
      const { objectBytes, otherBytes } = await sizes()
      return {
        run: async () => (objectBytes + otherBytes) / 2 ** 20,
        facts: () => ({ 'MiB of objects': Math.round(objectBytes / 2 ** 10) / 2 ** 10 }),
        close
      }
    }
  }))
})

export const storesDisk: Suite = {
  name: suite,
  about: 'Disk of the PostgreSQL store against a delta pack of git gc: a dependency tree, and 1,000 one-line commits.',
  scenarios: ({ quick }) => [
    ...(quick ? [] : [disk('a dependency tree', dependencyTree)]),
    disk('1,000 commits of one line each, on files of 10 KB', oneLineCommits)
  ]
}
