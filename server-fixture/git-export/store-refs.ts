/** The refs of a repository in its store, as they were at one place in its events. */

import { isZeroOid } from '../../src/git/oid.ts'
import type { EventCursor } from '../store/events.ts'
import type { Store } from '../store/store.ts'

const pageRefs = 10_000
const pageEvents = 1000

/** Refs by name, and where they are true. */
export interface RefsAtPlace {
  readonly cursor: EventCursor
  readonly refs: ReadonlyMap<string, string>
}

/** All refs. A listing of several pages is true of no one place; the events since its first page make it so. */
export async function listAllRefs(store: Store, repository: string): Promise<RefsAtPlace> {
  for (;;) {
    const refs = new Map<string, string>()
    let cursor: EventCursor | undefined
    let pages = 0
    for (let after = ''; ; pages++) {
      const page = await store.refsAt(repository, { prefix: '', after, limit: pageRefs })
      cursor ??= page.cursor
      for (const { name, oid } of page.refs) refs.set(name, oid)
      after = page.refs.at(-1)?.name ?? ''
      if (page.refs.length < pageRefs) break
    }
    if (pages === 0) return { cursor, refs }
    const caughtUp = await followRefs(store, repository, { cursor, refs })
    // Events went by that are kept no longer, or the repository is another one by now.
    if (caughtUp !== undefined) return caughtUp
  }
}

/** The same refs at the present place; undefined = the events between are kept no longer, or of another repository. */
export async function followRefs(
  store: Store,
  repository: string,
  { cursor, refs }: RefsAtPlace
): Promise<RefsAtPlace | undefined> {
  const followed = new Map(refs)
  for (let after = cursor; ; ) {
    const page = await store.readEvents(repository, { after, limit: pageEvents })
    if (page.state === 'gap' || page.state === 'ended') return undefined
    for (const { name, newOid } of page.events.flatMap(({ moves }) => moves)) {
      if (isZeroOid(newOid)) followed.delete(name)
      else followed.set(name, newOid)
    }
    after = page.cursor
    if (page.state === 'current') return { cursor: after, refs: followed }
  }
}

/** The text of the file HEAD (gitrepository-layout(5)). */
export async function headText(store: Store, repository: string): Promise<string> {
  const { ref, oid } = await store.readHead(repository)
  return ref === '' ? `${oid}\n` : `ref: ${ref}\n`
}
