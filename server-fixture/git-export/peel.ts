/** Finds where tags lead, which Git then need not look up for each ref that it tells. */
import { CatFile } from '../store/git/cat-file.ts'
import type { RepositoryContext } from '../store/git/git-process.ts'
import type { ExportedRef } from './exported-refs.ts'
import { namedObjects } from './named-objects.ts'

/** Refs with the objects that tags lead to; those that have not moved are not looked at. */
export async function peelRefs(
  context: RepositoryContext,
  refs: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, ExportedRef> = new Map()
): Promise<Map<string, ExportedRef>> {
  const moved = new Set(Array.from(refs).flatMap(([name, oid]) => (before.get(name)?.oid === oid ? [] : [oid])))
  const peeled = await peel(context, [...moved])
  return new Map(
    Array.from(refs, ([name, oid]) => {
      const known = before.get(name)
      return [name, known?.oid === oid ? known : { oid, peeled: peeled.get(oid) }]
    })
  )
}

async function peel(context: RepositoryContext, oids: readonly string[]): Promise<Map<string, string>> {
  const peeled = new Map<string, string>()
  if (oids.length === 0) return peeled
  const git = new CatFile(context)
  try {
    const infos = await git.ask({ command: 'info', oids })
    for (const tag of oids.filter((_, index) => infos[index]?.kind === 'tag')) {
      for (let oid: string | undefined = tag; oid !== undefined; ) {
        const [object] = await git.ask({ command: 'contents', oids: [oid] })
        peeled.set(tag, oid)
        if (object?.kind !== 'tag') break
        oid = namedObjects('tag', object.content ?? new Uint8Array(), oid.length === 64 ? 'sha256' : 'sha1')[0]?.oid
      }
    }
  } finally {
    git.end()
    await git.exited
  }
  return peeled
}
