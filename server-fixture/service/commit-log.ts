/** Walks history as `git log` does by default. Source: git-log(1), "Commit Ordering" and "History Simplification". */
import type { ParsedCommit } from '../../src/git/commit.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { readCommit } from './commits.ts'
import { checkOid } from './errors.ts'
import { pageSize, pageToken, readPageToken } from './paging.ts'
import { findCommit } from './revision.ts'
import { entryAt } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

interface Visit {
  readonly oid: string
  readonly commit: ParsedCommit
}

/** Commits to visit, newest committer date first; of equal dates, the one that was found first. */
class Frontier {
  readonly #visits: Visit[] = []
  readonly #seen = new Set<string>()
  readonly #workspace: Workspace

  constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  async add(oid: string): Promise<void> {
    if (this.#seen.has(oid)) return
    this.#seen.add(oid)
    const commit = await this.#workspace.commit(oid)
    const { timeSeconds } = commit.committer
    // The newest is at the end, where taking is cheap.
    let at = this.#visits.length
    while (at > 0 && (this.#visits[at - 1] as Visit).commit.committer.timeSeconds >= timeSeconds) at--
    this.#visits.splice(at, 0, { oid, commit })
  }

  take(): Visit | undefined {
    return this.#visits.pop()
  }
}

async function contentAt(workspace: Workspace, tree: string, path: string): Promise<string> {
  const entry = await entryAt(workspace, tree, path)
  return entry ? `${entry.mode} ${entry.oid}` : ''
}

/** Decides which parents to follow, and whether the commit itself changes the path. */
async function simplify(workspace: Workspace, commit: ParsedCommit, path: string) {
  const { tree, parents } = commit
  if (path === '') return { shown: true, follow: parents }
  const here = await contentAt(workspace, tree, path)
  for (const parent of parents) {
    const { tree: parentTree } = await workspace.commit(parent)
    // Same as one parent: the other side of a merge made no difference, and is skipped.
    if ((await contentAt(workspace, parentTree, path)) === here) return { shown: false, follow: [parent] }
  }
  return { shown: parents.length > 0 || here !== '', follow: parents }
}

/** Oids of the commits reachable from one, newest first. */
async function* log(workspace: Workspace, start: string, path: string): AsyncGenerator<string> {
  const frontier = new Frontier(workspace)
  await frontier.add(start)
  for (let visit = frontier.take(); visit !== undefined; visit = frontier.take()) {
    const { shown, follow } = await simplify(workspace, visit.commit, path)
    if (shown) yield visit.oid
    for (const parent of follow) await frontier.add(parent)
  }
}

/** ListCommits. Its page token names the first commit, so that later pages continue the same walk. */
export async function listCommits(
  workspace: Workspace,
  request: Messages['ListCommitsRequest']
): Promise<Messages['ListCommitsResponse']> {
  const limit = pageSize(request.pageSize, 100, 1000)
  const position = readPageToken('log', request.pageToken, ['string', 'string', 'number'])
  const start = position
    ? checkOid('pageToken', position[0] as string, workspace.format)
    : await findCommit(workspace, request.revision)
  const path = position ? (position[1] as string) : request.path
  const skip = position ? (position[2] as number) : 0
  const commits: Messages['Commit'][] = []
  let index = 0
  for await (const oid of log(workspace, start, path)) {
    if (index >= skip + limit) return { commits, nextPageToken: pageToken('log', [start, path, index]) }
    if (index >= skip) commits.push(await readCommit(workspace, oid))
    index++
  }
  return { commits, nextPageToken: '' }
}
