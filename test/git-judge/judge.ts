/** The same objects in a repository that Git reads, and on servers of both stores. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { NewObject, Store } from '../../server-fixture/store/store.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import type { ClientOptions, Repository } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C',
  TZ: 'UTC'
}

/** A repository as a server of each store has it, and as Git reads it. */
export interface Judged {
  /** By the name of the store. */
  readonly repositories: ReadonlyMap<'memory' | 'git', Repository>
  /** The output of git in the repository of the Git store. */
  git(args: readonly string[], input?: string | Uint8Array): Buffer
}

interface Contents {
  readonly format?: ObjectFormat
  readonly objects: readonly NewObject[]
  /** Oids by full name. */
  readonly refs?: Readonly<Record<string, string>>
  readonly client?: Partial<ClientOptions>
}

/** A repository of these objects on a server of a store; the store does not look into them. */
export async function openRepository(context: TestContext, store: Store, contents: Contents): Promise<Repository> {
  const { format = 'sha1', objects, refs = {}, client } = contents
  const moves = Object.entries(refs).map(([name, newOid]) => ({ name, expectedOid: zeroOid(format), newOid }))
  await store.createRepository('demo', format)
  await store.putObjects('demo', objects)
  if (moves.length > 0) await store.updateRefs('demo', moves)
  const service = new Service(store, { serverVersion: '0', onInternalError: (error) => console.error(error) })
  const server = atEnd(context, await testServer({ decorate: () => service }))
  return server.client(client).repository('demo')
}

export async function judged(context: TestContext, contents: Contents): Promise<Judged> {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-judge-'))
  const git = await GitStore.open(data)
  context.after(async () => {
    await git.close()
    await rm(data, { recursive: true, force: true })
  })
  const repositories = new Map([
    ['memory', await openRepository(context, new MemoryStore(), contents)],
    ['git', await openRepository(context, git, contents)]
  ] as const)
  return {
    repositories,
    git: (args, input = '') =>
      execFileSync('git', [...args], { cwd: join(data, 'demo.git'), input, env: environment, maxBuffer: 2 ** 28 })
  }
}

/** Splits output that ends each field with NUL; one character for each byte. */
export function fieldsOf(output: Buffer): string[] {
  const fields = output.toString('latin1').split('\0')
  if (fields.at(-1) === '') fields.pop()
  return fields
}

/** The bytes of a path in an answer, one character for each. */
export function bytesOf({ path, rawPath }: { readonly path: string; readonly rawPath: Uint8Array }): string {
  return Buffer.from(rawPath.length > 0 ? rawPath : Buffer.from(path)).toString('latin1')
}
