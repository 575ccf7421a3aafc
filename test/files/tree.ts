/** A repository with files of every kind, for the tests of `readFiles`, `archive` and `checkout`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { encodeItems } from '../../src/git/tree.ts'
import type { ClientOptions, Mode, Repository } from '../../src/index.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

/** Contents above this are large. */
export const inlineBytes = 16 * 1024

export const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1_700_000_000 }

export interface Fixture {
  readonly server: TestServer
  readonly repo: Repository
  /** A directory that is removed after the test. */
  readonly directory: string
}

export async function fixture(context: TestContext, options: Partial<ClientOptions> = {}): Promise<Fixture> {
  const server = atEnd(
    context,
    await testServer({ limits: { maxInlineBytes: inlineBytes, maxBatchBytes: 128 * 1024, chunkBytes: 4096 } })
  )
  const repo = server.client(options).repository('demo')
  await repo.createRepository()
  return { server, repo, directory: await temporaryDirectory(context) }
}

export async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-files-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Stores a tree with these entries as they are, also one that Git would refuse. */
export async function storeTree(
  repo: Repository,
  entries: readonly { name: string | Uint8Array; mode: Mode; oid: string }[]
): Promise<string> {
  const items = entries.map(({ name, ...rest }) => ({ ...rest, name: Buffer.from(name) }))
  const content = encodeItems(items, 'sha1')
  return (await repo.storeObject({ kind: 'tree', content, check: 'lenient' })).oid
}

/** Bytes that do not repeat. */
export function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    bytes[index] = state >> 16
  }
  return bytes
}

/** Commits files of all kinds, a large one included, and returns the contents by path. */
export async function commitAllKinds(repo: Repository): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>([
    ['.hidden/.dot', bytesOf(10, 1)],
    ['a/b/c/deep.txt', bytesOf(300, 2)],
    ['a/b.txt', bytesOf(0, 3)],
    ['bin/run', bytesOf(50, 4)],
    ['big', bytesOf(inlineBytes * 5 + 7, 5)],
    ['link', Buffer.from('a/b.txt')],
    ['na\u00efve/\u6f22\u5b57.txt', bytesOf(99, 6)]
  ])
  const modes: Record<string, Mode> = { 'bin/run': '100755', link: '120000' }
  const entries: { path: string; mode: Mode; oid: string }[] = []
  for (const [path, content] of contents) {
    const { oid } = await repo.upload(content)
    entries.push({ path, mode: modes[path] ?? '100644', oid })
  }
  entries.push({ path: 'module', mode: '160000', oid: '1'.repeat(40) })
  const tree = await repo.storeTree(entries)
  const commit = await repo.storeCommit({ tree: tree.oid, author, message: 'All kinds\n' })
  await repo.updateRefs([{ name: 'refs/heads/main', expectedOid: null, newOid: commit.oid }])
  return contents
}
