import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import type { GitStoreOptions } from '../../server-fixture/store/git/git-store-options.ts'
import type { KeyedRequest, NewObject, RefMove } from '../../server-fixture/store/store.ts'
import { encodeCommit } from '../../src/git/commit.ts'
import { emptyTreeOid, hashObject, type ObjectFormat, type ObjectKind } from '../../src/git/oid.ts'

/** A new directory; the caller removes it. */
export function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'blobwire-store-'))
}

/** A directory that is removed after the test. */
export async function temporaryDirectory(test: TestContext): Promise<string> {
  const directory = await makeDirectory()
  test.after(() => removeDirectory(directory))
  return directory
}

/** Removes a directory with everything in it. */
export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}

/** A Git store in a directory of its own; both are gone after the test. */
export async function openGitStore(
  test: TestContext,
  options?: GitStoreOptions
): Promise<{ store: GitStore; directory: string }> {
  const directory = await makeDirectory()
  const store = await GitStore.open(directory, options)
  test.after(async () => {
    await store.close()
    await removeDirectory(directory)
  })
  return { store, directory }
}

/** Runs git in a repository and returns its output on stdout and stderr, and its status. */
export function git(gitDir: string, args: readonly string[], input = ''): { status: number | null; output: string } {
  const env = { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' }
  const result = spawnSync('git', [`--git-dir=${gitDir}`, ...args], { input, env, maxBuffer: 64 * 1024 * 1024 })
  return { status: result.status, output: result.stdout.toString() + result.stderr.toString() }
}

/** An object with its oid. */
export function newObject(kind: ObjectKind, content: string | Uint8Array, format: ObjectFormat): NewObject {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return { oid: hashObject(kind, bytes, format), kind, content: bytes }
}

/** The empty tree and a commit of it whose message tells it from others. */
export function newCommit(message: string, format: ObjectFormat, parents: readonly string[] = []): NewObject[] {
  const author = { name: 'A', email: 'a@example.com', timeSeconds: 1_700_000_000, zone: '+0000' }
  const fields = { tree: emptyTreeOid(format), parents, author, committer: author, message }
  return [newObject('tree', '', format), newObject('commit', encodeCommit(fields), format)]
}

/** A write as a store remembers it. */
export function keyed(key: string, outcome: string, moves: readonly RefMove[]): KeyedRequest {
  return { key, digest: `digest of ${key}`, outcome, moves }
}
