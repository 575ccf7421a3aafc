/** Writes one pack with the objects of others. */
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { GitCommand, type RepositoryContext } from './git-process.ts'
import { IncomingDirectory } from './incoming-directory.ts'
import type { PackDirectory } from './pack-directory.ts'

/** Calls go first where the processor is busy (nice(1)). */
const priority = 10

/** Which packs are joined, and how. */
interface JoinOptions {
  /** Without `.pack`. */
  readonly names: readonly string[]
  /** Whether contents are compressed anew: git otherwise takes over those that it makes no delta of, as they are. @default false */
  readonly compress?: boolean
  readonly signal: AbortSignal
}

/**
 * Joins packs: the new one, with deltas, is in its place durably before the old ones are removed, so that a server that
 * is killed loses nothing. Every object is taken, reachable or not: one that nothing points to may be pointed to by the
 * next call. No multi-pack-index is written: the packs are few, and a reader that has an old one open can miss objects.
 *
 * With `--progress`, git writes to its standard error all the time, and dies of SIGPIPE when the server has died.
 *
 * @throws BlobwireError where git or the disk fails, or the signal has fired; nothing has changed then, or the new pack is
 *   there beside the old ones
 */
export async function joinPacks(
  context: RepositoryContext,
  packs: PackDirectory,
  { names, compress, signal }: JoinOptions
): Promise<void> {
  const incoming = new IncomingDirectory(context.gitDir)
  const ended = new AbortController()
  try {
    await incoming.make()
    const git = new GitCommand(
      { ...context, objectDirectory: incoming.path, alternates: join(context.gitDir, 'objects') },
      [
        'pack-objects',
        '--stdin-packs',
        '--delta-base-offset',
        '--progress',
        ...(compress ? ['--no-reuse-object'] : []),
        join(incoming.path, 'pack', 'pack')
      ]
    )
    lowerPriority(git.pid)
    const kill = () => git.kill()
    signal.addEventListener('abort', kill, { signal: ended.signal })
    if (signal.aborted) kill()
    const output = await git.finish(Buffer.from(names.map((name) => `${name}.pack\n`).join('')))
    await packs.moveIn(incoming, output.toString('latin1').trim())
    await packs.remove(names)
  } finally {
    ended.abort()
    await incoming.remove()
  }
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, priority)
  } catch {
    // It has ended already, or the system does not allow it.
  }
}
