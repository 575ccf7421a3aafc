/** Lists commits in the order of `git log`, without reading them. */
import { isOid } from '../../../src/git/oid.ts'
import { type RepositoryContext, runGit } from './git-process.ts'

/**
 * The first commits that `git log` visits from these ones, themselves included. The empty list where git cannot tell,
 * for example because an object is missing: whoever reads the commits one by one finds out.
 *
 * @param tips oids; other texts are left out, because git would read them as options and revisions
 */
export async function listCommits(
  context: RepositoryContext,
  tips: readonly string[],
  count: number
): Promise<string[]> {
  const valid = tips.filter((oid) => isOid(oid))
  if (valid.length === 0) return []
  try {
    const output = await runGit(
      context,
      ['rev-list', `--max-count=${count}`, '--stdin'],
      Buffer.from(`${valid.join('\n')}\n`)
    )
    return output.toString('latin1').split('\n').slice(0, -1)
  } catch {
    return []
  }
}
