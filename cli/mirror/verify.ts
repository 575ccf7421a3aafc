/** Compares a repository of the service with the local one that it was made from. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Repository } from '../../src/index.ts'
import { runGit } from './git.ts'
import type { LeftOutRef } from './plan.ts'
import { apiName, nameOf, readable } from './ref-name.ts'
import type { Source, SourceRef } from './source.ts'

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
  const lines = ({ name, oid }: SourceRef) => (ignored.has(readable(name)) ? [] : [`${oid} ${name}`])
  const there: string[] = []
  for await (const { name, rawName, oid } of repo.refs({ pageSize: 1000 })) {
    there.push(...lines({ name: nameOf(rawName ?? name), oid }))
  }
  return differences(source.refs.flatMap(lines), there)
}

/** Both lists in their order. */
function differences(here: readonly string[], there: readonly string[]): string[] {
  const [inSource, onServer] = [new Set(here), new Set(there)]
  const found = [
    ...here.filter((line) => !onServer.has(line)).map((line) => `only in the source: ${readable(line)}`),
    ...there.filter((line) => !inSource.has(line)).map((line) => `only on the server: ${readable(line)}`)
  ]
  if (found.length > 0) return found
  const index = here.findIndex((line, at) => line !== there[at])
  return index < 0 ? [] : [`in another place: ${readable(here[index] as string)}`]
}

async function compareHead({ source, repo, leftOut }: Comparison): Promise<string[]> {
  if (!('branch' in source.head)) return []
  const { branch } = source.head
  const name = apiName(branch)
  if (typeof name !== 'string' || leftOut.some((ref) => ref.name === name)) return []
  const { defaultBranch } = await repo.getRepository()
  if (defaultBranch !== name) return [`HEAD is ${name} in the source, and ${defaultBranch} on the server`]
  const here = source.refs.find((ref) => ref.name === branch)?.oid
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
    return lines.filter((line) => !ignored.has(readable(line.slice(line.indexOf('\t') + 1))))
  }
  const refs = differences(await refsOf(source.directory), await refsOf(storeDirectory))
  const known = new Set(await fsck(source.directory))
  const worse = (await fsckAtRest(storeDirectory)).filter((line) => !known.has(line))
  return [...refs, ...worse.map((line) => `git fsck, only on the server: ${line}`)]
}

/** Most times that git looks again, while a server joins packs. */
const maxLooks = 20

/** Git takes packs for damaged that somebody joins and removes while it looks: it looks again, until they stayed. */
async function fsckAtRest(directory: string): Promise<string[]> {
  for (let look = 1; ; look++) {
    const before = await packsOf(directory)
    const found = await fsck(directory)
    if (found.length === 0 || look === maxLooks || (await packsOf(directory)) === before) return found
  }
}

async function packsOf(directory: string): Promise<string> {
  return (await readdir(join(directory, 'objects', 'pack'))).sort().join()
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
