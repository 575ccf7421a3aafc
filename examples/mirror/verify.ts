/** Compares a repository of the service with the local one that it was made from. */
import type { Repository } from '../../src/index.ts'
import { runGit } from './git.ts'
import type { LeftOutRef } from './plan.ts'
import { nameOf, type Source } from './source.ts'

/** The two sides. */
export interface Comparison {
  readonly source: Source
  readonly repo: Repository
  /** Refs that are not compared. */
  readonly leftOut: readonly LeftOutRef[]
  /** Directory of the server's bare repository, where this process can read it. */
  readonly storeDirectory?: string | undefined
}

/** The differences, as lines for a reader; empty = there are none. */
export async function verify(comparison: Comparison): Promise<string[]> {
  const { storeDirectory } = comparison
  const found = [...(await compareRefs(comparison)), ...(await compareHead(comparison))]
  if (storeDirectory === undefined) return found
  return [...found, ...(await compareStore(comparison, storeDirectory))]
}

async function compareRefs({ source, repo, leftOut }: Comparison): Promise<string[]> {
  const ignored = new Set(leftOut.map(({ name }) => name))
  const lines = ({ name, oid }: { name: string; oid: string }) => (ignored.has(name) ? [] : [`${oid} ${name}`])
  const there: string[] = []
  for await (const ref of repo.refs({ pageSize: 1000 })) there.push(...lines(ref))
  return differences(source.refs.flatMap(lines), there)
}

/** Both lists in their order. */
function differences(here: readonly string[], there: readonly string[]): string[] {
  const [inSource, onServer] = [new Set(here), new Set(there)]
  const found = [
    ...here.filter((line) => !onServer.has(line)).map((line) => `only in the source: ${line}`),
    ...there.filter((line) => !inSource.has(line)).map((line) => `only on the server: ${line}`)
  ]
  if (found.length > 0) return found
  const index = here.findIndex((line, at) => line !== there[at])
  return index < 0 ? [] : [`in another place: ${here[index]}`]
}

async function compareHead({ source, repo, leftOut }: Comparison): Promise<string[]> {
  if (!('branch' in source.head)) return []
  const { branch } = source.head
  if (leftOut.some(({ name }) => name === branch)) return []
  const { defaultBranch } = await repo.getRepository()
  if (defaultBranch !== branch) return [`HEAD is ${branch} in the source, and ${defaultBranch} on the server`]
  const here = source.refs.find(({ name }) => name === branch)?.oid
  // No commit yet: where a server has only one branch, its HEAD may be that one.
  if (here === undefined) return []
  const there = (await repo.getCommit('HEAD')).commit.oid
  return here === there ? [] : [`HEAD is at ${here} in the source, and at ${there} on the server`]
}

/** Git itself looks at both: the listing of refs line for line, and everything that `fsck` finds. */
async function compareStore({ source, leftOut }: Comparison, storeDirectory: string): Promise<string[]> {
  const ignored = new Set(leftOut.map(({ name }) => name))
  const refsOf = async (directory: string) => {
    const { lines } = await runGit(directory, ['for-each-ref'])
    return lines.filter((line) => !ignored.has(nameOf(line.slice(line.indexOf('\t') + 1))))
  }
  const refs = differences(await refsOf(source.directory), await refsOf(storeDirectory))
  const known = new Set(await fsck(source.directory))
  const worse = (await fsck(storeDirectory)).filter((line) => !known.has(line))
  return [...refs, ...worse.map((line) => `git fsck, only on the server: ${line}`)]
}

async function fsck(directory: string): Promise<string[]> {
  const args = ['fsck', '--strict', '--full', '--no-dangling', '--no-reflogs', '--no-progress']
  // Its exit code has a bit for each kind of finding.
  const { lines, errors } = await runGit(
    directory,
    args,
    Array.from({ length: 64 }, (_, code) => code)
  )
  return [...lines, ...errors.split('\n')].filter((line) => line !== '' && !line.startsWith('notice: '))
}
