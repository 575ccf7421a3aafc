/** Keeps the packs of an export few: each refresh makes one. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type RepositoryContext, runGit } from '../store/git/git-process.ts'

/** Joins packs in a geometric row (git-repack(1)), so that each object is written a few times in all. */
export async function joinExportedPacks(context: RepositoryContext, maxPacks: number): Promise<void> {
  const names = await readdir(join(context.gitDir, 'objects', 'pack'))
  if (names.filter((name) => name.endsWith('.pack')).length <= maxPacks) return
  await runGit(context, ['repack', '-d', '--geometric=2', '--quiet'])
}
