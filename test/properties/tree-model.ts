/** A tree as a plain map from paths to files, and arbitrary edits of it: the model that the tree editor is held against. */
import fc from 'fast-check'
import type { Edit } from '../../server-fixture/service/tree-edit.ts'

/** A file, link or submodule. */
export interface Leaf {
  readonly mode: string
  readonly oid: string
}

/** Directories are there where paths go through them. */
export type Model = ReadonlyMap<string, Leaf>

/** Few names, so that edits meet; names that sort in another way where they are directories; one that is not ASCII. */
const segments = fc.constantFrom('a', 'b', 'a.', 'a-b', 'a0', 'é', '0')
const paths = fc.array(segments, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const leaves: fc.Arbitrary<Leaf> = fc.record(
  {
    mode: fc.constantFrom('100644', '100755', '120000', '160000'),
    oid: fc.constantFrom('1', '2', '3').map((digit) => digit.repeat(40))
  },
  { noNullPrototype: true }
)

const isBelow = (path: string, directory: string) => path.startsWith(`${directory}/`)

/** All that is at a path and below it. */
function at(model: Model, path: string): string[] {
  return [...model.keys()].filter((each) => each === path || isBelow(each, path))
}

/** Some paths, and what is there; not all of them can be in one tree. */
export const anyEntries = fc.array(fc.tuple(paths, leaves), { maxLength: 12 })

/** A tree without contradictions. */
export const anyModel: fc.Arbitrary<Model> = anyEntries.map((entries) => {
  const model = new Map<string, Leaf>()
  for (const [path, leaf] of entries) {
    const isFree = [...model.keys()].every((each) => each !== path && !isBelow(each, path) && !isBelow(path, each))
    if (isFree) model.set(path, leaf)
  }
  return model
})

/** Edits that mostly touch what is there: `known` are the paths of the tree. */
function anyEdits(known: readonly string[]): fc.Arbitrary<Edit[]> {
  const directories = known.flatMap((path) => path.split('/').map((_, count, all) => all.slice(0, count).join('/')))
  const meant = [...known, ...directories.filter((path) => path !== '')]
  const somewhere = meant.length > 0 ? fc.oneof(fc.constantFrom(...meant), paths) : paths
  const removal = somewhere.map((path) => ({ path, remove: true }))
  const put = fc.record({ path: somewhere, put: leaves })
  return fc.array(fc.oneof(removal, put), { maxLength: 6 })
}

/** A tree and edits of it. */
export const anyEditing = anyModel.chain((model) => anyEdits([...model.keys()]).map((edits) => ({ model, edits })))

/** The tree after the edits, removals first; or every reason there is to refuse them. */
export function edited(model: Model, edits: readonly Edit[]): Model | Set<string> {
  const problems = new Set<string>()
  const puts = edits.filter(({ put }) => put !== undefined)
  for (const [index, { path }] of puts.entries()) {
    if (puts.some((other, place) => isBelow(other.path, path) || (place !== index && other.path === path))) {
      problems.add('invalid_argument')
    }
  }
  const result = new Map(model)
  for (const { path, remove } of edits) {
    if (!remove) continue
    const gone = at(model, path)
    if (gone.length === 0) problems.add('path_not_found')
    for (const each of gone) result.delete(each)
  }
  for (const { path } of puts) {
    const inTheWay = [...result.keys()].some((each) => isBelow(each, path) || isBelow(path, each))
    if (inTheWay) problems.add('path_conflict')
  }
  if (problems.size > 0) return problems
  for (const { path, put } of puts) if (put) result.set(path, put)
  return result
}
