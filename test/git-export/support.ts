/** A repository with all forms of objects and refs, and Git as the judge of its export. */
import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import type { EventRequest } from '../../server-fixture/store/events.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { NewObject, ObjectScan, PageRequest, ScannedObject, Store } from '../../server-fixture/store/store.ts'
import { encodeCommit } from '../../src/git/commit.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { git, newObject } from '../store/support.ts'

const author = { name: 'A', email: 'a@example.com', timeSeconds: 1_700_000_000, zone: '+0000' }

/** A tree with these entries, which must be in order. */
export function treeOf(entries: readonly (readonly [mode: string, name: string, oid: string])[], format: ObjectFormat) {
  const parts = entries.map(([mode, name, oid]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
  )
  return newObject('tree', Buffer.concat(parts), format)
}

/** A commit with one file, and the objects that it names. */
export function commitOf(content: string, parents: readonly string[], format: ObjectFormat): NewObject[] {
  const blob = newObject('blob', content, format)
  const tree = treeOf([['100644', 'file', blob.oid]], format)
  const fields = { tree: tree.oid, parents, author, committer: author, message: content.slice(0, 20) }
  return [blob, tree, newObject('commit', encodeCommit(fields), format)]
}

/** The oid of the last of these objects. */
export const last = (objects: readonly NewObject[]) => objects.at(-1)?.oid as string

/** Stores objects, and moves a ref from nothing to the last of them. */
export async function makeRef(store: Store, repository: string, ref: { name: string; objects: readonly NewObject[] }) {
  const oid = last(ref.objects)
  await store.putObjects(repository, ref.objects)
  const expectedOid =
    (await store.readRefs(repository, [ref.name]))[0] ?? zeroOid(oid.length === 64 ? 'sha256' : 'sha1')
  assert.deepEqual(await store.updateRefs(repository, [{ name: ref.name, expectedOid, newOid: oid }]), [])
  return oid
}

/** Creates a repository with a merge, a submodule, nested directories, tags of tags, and a blob that is read in parts. */
export async function fill(store: Store, repository: string, format: ObjectFormat) {
  await store.createRepository(repository, format, { defaultBranch: 'refs/heads/trunk' })
  const large = newObject('blob', Buffer.alloc(3_000_000, 'a large blob '), format)
  const medium = newObject('blob', Buffer.alloc(200_000, 'medium '), format)
  const small = newObject('blob', 'small', format)
  const inner = treeOf([['100755', 'run', small.oid]], format)
  const submodule = '1'.repeat(format === 'sha1' ? 40 : 64)
  const root = treeOf(
    [
      ['40000', 'directory', inner.oid],
      ['100644', 'large', large.oid],
      ['120000', 'link', small.oid],
      ['100644', 'medium', medium.oid],
      ['160000', 'module', submodule]
    ],
    format
  )
  const base = commitOf('base', [], format)
  const sides = ['left', 'right'].map((name) => commitOf(name, [last(base)], format))
  const merge = newObject(
    'commit',
    encodeCommit({ tree: root.oid, parents: sides.map(last), author, committer: author, message: 'merge' }),
    format
  )
  const tag = (name: string, kind: string, oid: string) =>
    newObject(
      'tag',
      `object ${oid}\ntype ${kind}\ntag ${name}\ntagger A <a@example.com> 1700000000 +0000\n\n${name}\n`,
      format
    )
  const inside = tag('inside', 'commit', last(base))
  const outside = tag('outside', 'tag', inside.oid)
  const refs = new Map<string, string>()
  const add = async (name: string, objects: readonly NewObject[]) =>
    refs.set(name, await makeRef(store, repository, { name, objects }))
  await add('refs/heads/trunk', [large, medium, small, inner, root, ...base, ...sides.flat(), merge])
  await add('refs/heads/side/left', sides[0] ?? [])
  await add('refs/tags/outside', [inside, outside])
  await add('refs/tags/ünïcode', [small])
  return { refs, base, head: 'refs/heads/trunk' }
}

/** Has Git judge an export. Returns how many objects the refs reach. */
export function judge(path: string, refs: ReadonlyMap<string, string>): number {
  const fsck = git(path, ['fsck', '--strict', '--full'])
  assert.equal(fsck.status, 0, fsck.output)
  const listed = git(path, ['for-each-ref', '--format=%(refname) %(objectname)']).output.trim().split('\n')
  assert.deepEqual(
    listed.filter((line) => line !== '').sort(),
    Array.from(refs, ([name, oid]) => `${name} ${oid}`).sort()
  )
  const reached = git(path, ['rev-list', '--objects', '--all']).output.trim()
  return reached === '' ? 0 : reached.split('\n').length
}

/** A memory store that counts the questions it is asked, scans, and can fail. */
export class WatchedStore extends MemoryStore {
  /** Names of the methods that read, in the order of the calls. */
  asked: string[] = []
  /** Called before each read of objects. */
  beforeRead: () => void = () => undefined
  /** Objects that count as missing. */
  readonly missing = new Set<string>()
  readonly stored = new Map<string, string[]>()

  override putObjects(repository: string, objects: readonly NewObject[]) {
    this.stored.set(repository, [...(this.stored.get(repository) ?? []), ...objects.map(({ oid }) => oid)])
    return super.putObjects(repository, objects)
  }

  override async readObjects(repository: string, oids: readonly string[], maxBytes: number) {
    this.asked.push('readObjects')
    this.beforeRead()
    const found = await super.readObjects(repository, oids, maxBytes)
    return found.map((object, index) => (this.missing.has(oids[index] ?? '') ? undefined : object))
  }

  override async readEvents(repository: string, request: EventRequest) {
    this.asked.push('readEvents')
    return await super.readEvents(repository, request)
  }

  override async readHead(repository: string) {
    this.asked.push('readHead')
    return await super.readHead(repository)
  }

  override async refsAt(repository: string, page: PageRequest) {
    this.asked.push('refsAt')
    return await super.refsAt(repository, page)
  }
}

/** The same, with a scan, a few objects a page. */
export class ScanningStore extends WatchedStore {
  pageObjects = 3

  async scanObjects(repository: string, { after, maxBytes }: ObjectScan): Promise<ScannedObject[]> {
    this.asked.push('scanObjects')
    const oids = [...new Set(this.stored.get(repository))]
      .sort()
      .filter((oid) => oid > after && !this.missing.has(oid))
      .slice(0, this.pageObjects)
    const found = await super.readObjects(repository, oids, maxBytes)
    return oids.flatMap((oid, index) => {
      const object = found[index]
      if (object === undefined) return []
      const { kind, size, content } = object
      // As a database keeps most of them.
      return content && index === 0 ? { oid, kind, size, deflated: deflateSync(content) } : { oid, kind, size, content }
    })
  }
}
