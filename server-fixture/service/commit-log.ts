/** ListCommits. */
import { invalidArgument } from '../../src/core/error.ts'
import { binaryPath } from '../../src/git/raw-path.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { ReadCommit } from './commit-reader.ts'
import { CommitWalk } from './commit-walk.ts'
import { toCommit } from './commits.ts'
import { Pace } from './pace.ts'
import { checkPinned, PageTokens } from './page-token.ts'
import { fillPage, pageSize } from './paging.ts'
import { identityOf } from './repository-identity.ts'
import { findCommit } from './revision.ts'
import type { Workspace } from './workspace.ts'

/** Longer ones would make page tokens too long. */
const maxPathBytes = 4096

/** Start, path as a binary string, and commits visited since the start. */
const tokens = new PageTokens('commits', ['text', 'text', 'count'])

const sizeOf = ({ message, raw, parents }: ReadCommit) => message.length + 1.4 * raw.length + parents.length * 66 + 400

/** ListCommits. A page goes on with the walk of the page before, where the server still has it, and else repeats it. */
export async function listCommits(
  workspace: Workspace,
  request: Messages['ListCommitsRequest']
): Promise<Messages['ListCommitsResponse']> {
  const limit = pageSize(request.pageSize, 100, 2500)
  const [start, path, visited] = tokens.read(request.pageToken) ?? [
    await findCommit(workspace, request.revision),
    binaryPath(request),
    0
  ]
  if (path.length > maxPathBytes) throw invalidArgument('path', `must have at most ${maxPathBytes} bytes`)
  if (request.pageToken !== '') await checkPinned(workspace, 'commit', start)
  const pace = new Pace(workspace)
  const repository = identityOf(workspace.repository)
  const kept = request.pageToken === '' ? undefined : workspace.caches.walks.take({ repository, path, start, visited })
  const expected = visited + limit + 1
  const walk = kept instanceof CommitWalk ? kept : new CommitWalk(workspace, { start, path, expected })
  walk.resume(workspace)
  let isLast = false
  try {
    const left = await walk.seek(visited - walk.position.visited, pace)
    const page = await fillPage(workspace, walk, { limit, sizeOf, pace })
    isLast = page.isLast
    const commits = page.items.map(toCommit)
    const { position } = walk
    return { commits, nextPageToken: isLast ? '' : tokens.write(position.start, path, position.visited + left) }
  } finally {
    // Also where the caller has gone: the next attempt goes on from here. Staged commits are this workspace's alone.
    walk.resume(undefined)
    if (!isLast && workspace.stagedCount === 0) workspace.caches.walks.keep(repository, walk)
  }
}
