/** Brings one export up to date. The caller has its lock. */
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../src/core/error.ts'
import { fsyncDirectory } from '../store/git/fsync.ts'
import { storageFailure } from '../store/git/git-failure.ts'
import { type RepositoryContext, runGit } from '../store/git/git-process.ts'
import { IncomingDirectory, isIncoming } from '../store/git/incoming-directory.ts'
import { repositoryNotFound } from '../store/name-page.ts'
import type { RepositoryInfo, Store } from '../store/store.ts'
import { makeEmpty } from './export-directory.ts'
import {
  type ExportedRefs,
  readExportedHead,
  readExportedRefs,
  replaceFile,
  writeExportedRefs
} from './exported-refs.ts'
import { joinExportedPacks } from './join-exported-packs.ts'
import { scanObjects } from './object-scan.ts'
import { walkObjects } from './object-walk.ts'
import { PackFile } from './pack-file.ts'
import { peelRefs } from './peel.ts'
import { followRefs, headText, listAllRefs, type RefsAtPlace } from './store-refs.ts'

/** An export, and the repository of which it is one. */
export interface ExportTarget {
  readonly store: Store
  readonly info: RepositoryInfo
  /** Of its events: another repository of the same name has another one. */
  readonly incarnation: string
  readonly context: RepositoryContext
  /** More are joined. */
  readonly maxPacks: number
  /** Ends it before its objects are written. */
  readonly signal?: AbortSignal | undefined
}

/** What a refresh did. */
export interface Refreshed {
  /** Objects that were written. */
  readonly objects: number
  readonly refs: number
}

/**
 * Objects first, in one pack, then all refs, then HEAD: a process that dies leaves the export as it was, maybe with
 * objects that no ref reaches yet.
 *
 * @param readsAllRefs lists the refs, where events do not tell of all moves
 */
export async function refresh(target: ExportTarget, readsAllRefs: boolean): Promise<Refreshed> {
  const { store, info, context } = target
  await removeLeftovers(context.gitDir)
  const before = await readExportedRefs(context.gitDir)
  const head = await headText(store, info.repository)
  const now = await refsNow(target, before, readsAllRefs)
  // HEAD, format and refs would be of two repositories.
  if (now.cursor.incarnation !== target.incarnation) throw repositoryNotFound(info.repository)
  const isOther = before === undefined || before.cursor.incarnation !== now.cursor.incarnation
  // Where a shallow history became longer, commits that the export has have parents that it lacks.
  if (isOther || (await readShallow(context.gitDir)) !== textOf(await shallowOf(target)))
    return await makeAnew(target, now, head)
  try {
    return await update(target, { before, now, head })
  } catch (error) {
    if (!(error instanceof NotConnected)) throw error
    // Somebody has deleted packs of the export, or it came to hold an object without those that it names.
    return await makeAnew(target, now, head)
  }
}

async function refsNow(
  { store, info }: ExportTarget,
  before: ExportedRefs | undefined,
  all: boolean
): Promise<RefsAtPlace> {
  if (before === undefined || all) return await listAllRefs(store, info.repository)
  const refs = new Map(Array.from(before.refs, ([name, { oid }]) => [name, oid]))
  const followed = await followRefs(store, info.repository, { cursor: before.cursor, refs })
  return followed ?? (await listAllRefs(store, info.repository))
}

async function makeAnew(target: ExportTarget, now: RefsAtPlace, head: string): Promise<Refreshed> {
  const { context, info } = target
  await makeEmpty(context.gitDir, info.objectFormat, context.program)
  try {
    return await update(target, { before: undefined, now, head })
  } catch (error) {
    if (!(error instanceof NotConnected)) throw error
    throw new BlobwireError({ reason: 'integrity', message: error.message })
  }
}

interface Update {
  readonly before: ExportedRefs | undefined
  readonly now: RefsAtPlace
  readonly head: string
}

async function update(target: ExportTarget, { before, now, head }: Update): Promise<Refreshed> {
  const { context } = target
  const tips = new Set(now.refs.values())
  // A detached HEAD.
  if (!head.startsWith('ref:')) tips.add(head.trim())
  for (const { oid } of before?.refs.values() ?? []) tips.delete(oid)
  const objects = tips.size === 0 ? 0 : await takeObjects(target, { tips: [...tips], isEmpty: before === undefined })
  const refs = await peelRefs(context, now.refs, before?.refs)
  await writeExportedRefs(context.gitDir, { cursor: now.cursor, refs })
  if ((await readExportedHead(context.gitDir)) !== head) await replaceFile(context.gitDir, 'HEAD', head)
  return { objects, refs: refs.size }
}

async function takeObjects(target: ExportTarget, tips: { tips: readonly string[]; isEmpty: boolean }): Promise<number> {
  const { store, info, context } = target
  const source = { store, repository: info.repository, format: info.objectFormat }
  const incoming = new IncomingDirectory(context.gitDir)
  try {
    await incoming.make()
    const path = join(incoming.path, 'pack', 'new.pack')
    const pack = await PackFile.create(path, info.objectFormat, target.signal)
    let hash: string
    try {
      const shallow = await shallowOf(target)
      if (shallow.size > 0) await replaceFile(context.gitDir, shallowName, textOf(shallow))
      if (tips.isEmpty && store.scanObjects) await scanObjects(source, pack)
      else await walkObjects(source, pack, { tips: tips.tips, context: tips.isEmpty ? undefined : context, shallow })
      hash = await pack.finish()
    } finally {
      await pack.close()
    }
    if (pack.objects > 0) await runGit(context, ['index-pack', path])
    await checkConnected(
      { ...context, objectDirectory: incoming.path, alternates: join(context.gitDir, 'objects') },
      tips.tips
    )
    if (pack.objects > 0) await moveIn(context.gitDir, path, hash)
    await joinExportedPacks(context, target.maxPacks)
    return pack.objects
  } finally {
    await incoming.remove()
  }
}

const shallowOf = async ({ store, info }: ExportTarget) =>
  (await store.shallowCommits?.(info.repository)) ?? new Set<string>()

/** The file of shallow commits (gitrepository-layout(5)). */
const shallowName = 'shallow'

const textOf = (shallow: ReadonlySet<string>) =>
  Array.from(shallow, (oid) => `${oid}\n`)
    .sort()
    .join('')

const readShallow = (gitDir: string) => readFile(join(gitDir, shallowName), 'utf8').catch(() => '')

/** Thrown where objects are missing that refs would reach. */
class NotConnected extends Error {}

/** As `git receive-pack` checks a push. */
async function checkConnected(context: RepositoryContext, tips: readonly string[]): Promise<void> {
  try {
    const command = ['rev-list', '--objects', '--quiet', '--stdin', '--not', '--all']
    await runGit(context, command, Buffer.from(`${tips.join('\n')}\n`))
  } catch (error) {
    if (!(error instanceof BlobwireError && error.reason === 'git_failed')) throw error
    throw new NotConnected(`the objects of the store are not connected: ${error.message}`)
  }
}

/** The pack before its index, with which Git begins to see it. */
async function moveIn(gitDir: string, path: string, hash: string): Promise<void> {
  const directory = join(gitDir, 'objects', 'pack')
  try {
    await rename(path, join(directory, `pack-${hash}.pack`))
    await rename(path.replace(/\.pack$/, '.idx'), join(directory, `pack-${hash}.idx`))
    await fsyncDirectory(directory)
  } catch (error) {
    throw storageFailure('moving a pack into an export', error)
  }
}

/** Of a process that was killed: nobody else writes into the export. */
async function removeLeftovers(gitDir: string): Promise<void> {
  const objects = join(gitDir, 'objects')
  for (const name of await readdir(objects).catch(() => []))
    if (isIncoming(name)) await rm(join(objects, name), { recursive: true, force: true })
}
