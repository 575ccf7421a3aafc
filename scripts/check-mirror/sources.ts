/** The repositories that `check:mirror` copies: two generated ones, this project's own, and those that are named. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../test/support/child.ts'
import { GitRepository } from '../../test/support/git.ts'
import { type HistoryOptions, longHistory } from '../../test/support/history/long-history.ts'
import type { History } from '../../test/support/history/objects.ts'
import { wideHistory } from '../../test/support/history/wide-history.ts'
import { writeHistory } from '../../test/support/history/write-history.ts'
import { signer } from './signing.ts'

/** A repository to copy. */
export interface MirrorSource {
  readonly name: string
  readonly directory: string
  /** What is in it, in words. */
  readonly facts: string
  /** Commits with a signature of `signer`. */
  readonly signed: readonly string[]
  /** Directory of the keys with which they were signed. */
  readonly keys: string
}

interface Place {
  readonly directory: string
  readonly after: (remove: () => void) => void
}

async function generate(
  make: (options: HistoryOptions) => History,
  name: string,
  { commits, place }: { readonly commits: number; readonly place: Place }
): Promise<MirrorSource> {
  const keys = join(place.directory, name)
  mkdirSync(keys)
  const history = make({ commits, sign: signer(keys) })
  const git = new GitRepository({ after: place.after as never }, history.format)
  await writeHistory(git, history)
  const { directory } = git
  const commitsWith = (text: string) => {
    return history.objects.filter(({ kind, content }) => kind === 'commit' && Buffer.from(content).includes(text))
  }
  const signed = commitsWith('BEGIN SSH SIGNATURE').map(({ oid }) => oid)
  const facts = `${factsOf(directory)}, ${commitsWith('\ngpgsig').length} signed commits (${signed.length} by SSH)`
  return { name, directory, facts, signed, keys }
}

/** The numbers that make a history a real one. @throws Error for a directory that is no repository */
function factsOf(directory: string): string {
  const count = (...args: string[]) => {
    const command = ['-C', directory, '--no-replace-objects', 'rev-list', '--all', '--count', ...args]
    return execFileSync('git', command, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  }
  const kinds = execFileSync('git', ['-C', directory, 'for-each-ref', '--format=%(objecttype)']).toString().split('\n')
  const tags = kinds.filter((kind) => kind === 'tag').length
  const merges = `${count('--merges')} merges (${count('--min-parents=3')} of more than two)`
  return `${count()} commits, ${merges}, ${kinds.length - 1} refs (${tags} annotated tags)`
}

/** A repository that is there. */
function existing(name: string, directory: string): MirrorSource {
  return { name, directory, facts: factsOf(directory), signed: [], keys: '' }
}

/** @param directories further repositories */
export async function makeSources(
  commits: number,
  directories: readonly string[],
  place: Place
): Promise<MirrorSource[]> {
  const sources = [
    await generate(longHistory, 'long', { commits, place }),
    await generate(wideHistory, 'wide', { commits, place })
  ]
  try {
    sources.push(existing('blobwire', root))
  } catch {
    console.log('this directory is no Git repository: its own history is left out')
  }
  return [...sources, ...directories.map((directory) => existing(directory, directory))]
}
