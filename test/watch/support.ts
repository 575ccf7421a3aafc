/** Repositories that are watched, and the updates of their watches. */
import type { Client, Repository, WatchOptions, WatchUpdate } from '../../src/index.ts'

const author = { name: 'A', email: 'a@example.com', timeSeconds: 1_700_000_000 }

export const main = 'refs/heads/main'

/** A new repository with `count` commits on `main`, whose oids it returns; the last is where `main` is. */
export async function repositoryOf(
  client: Client,
  name: string,
  count = 1
): Promise<{ repo: Repository; oids: string[] }> {
  const repo = client.repository(name)
  await repo.createRepository()
  const oids: string[] = []
  for (let index = 0; index < count; index++) oids.push(await commit(repo, `${index}`))
  return { repo, oids }
}

/** Commits a file on `main`; returns the commit's oid. */
export async function commit(repo: Repository, content: string): Promise<string> {
  const { oid } = await repo.commitFiles({ branch: 'main', changes: { a: content }, message: content, author })
  return oid
}

/** An update in short, with oids as their first letters. */
export function told({ kind, moves, requestId }: WatchUpdate): string {
  const short = moves.map(({ name, oldOid, newOid }) => `${name} ${oldOid.slice(0, 7)}-${newOid.slice(0, 7)}`)
  return [kind, ...(requestId === '' ? [] : [requestId]), ...short].join(' ')
}

/** A watch whose updates are taken one by one. */
export class Taker {
  readonly #updates: AsyncGenerator<WatchUpdate, void>

  constructor(repo: Repository, options: WatchOptions = {}) {
    this.#updates = repo.watch(options)
  }

  async next(): Promise<WatchUpdate> {
    const { value, done } = await this.#updates.next()
    if (done) throw new Error('the watch has ended')
    return value
  }

  /** So many updates, in short. */
  async take(count: number): Promise<string[]> {
    const updates: string[] = []
    while (updates.length < count) updates.push(told(await this.next()))
    return updates
  }

  async end(): Promise<void> {
    await this.#updates.return()
  }
}
