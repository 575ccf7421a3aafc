/** Kills a Git store, as far as its files can tell, before each of its operations on files, and looks at it afterwards. */
import assert from 'node:assert/strict'
import { cp, readdir, rm, stat, truncate, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { accounting, type FileOperation, watchFiles } from '../support/file-operations.ts'
import { Unsynced } from '../support/unsynced.ts'
import { isMissed, repositoriesOf, serviceOn, type Write } from './every-write.ts'
import { git } from './support.ts'

/** The files as a kill at this point leaves them. */
export interface CrashPoint {
  /** Of the next operation, or of the one that was cut short. */
  readonly label: string
  readonly directory: string
  readonly account: Unsynced
}

/**
 * Does some work on the files of a directory. Before each operation, and in the middle of those that can be cut short,
 * the directory is copied.
 */
export async function crashPointsOf(
  { directory, copies }: { directory: string; copies: string },
  work: () => Promise<unknown>
): Promise<CrashPoint[]> {
  const points: CrashPoint[] = []
  const account = new Unsynced()
  const { before, after } = accounting(account)
  const copy = async (label: string): Promise<string> => {
    const to = join(copies, String(points.length))
    await copyDirectory(directory, to)
    await rm(join(to, 'server.lock'), { force: true })
    await ageLocks(to)
    points.push({ label: `${points.length}: ${label}`, directory: to, account: account.copied(directory, to) })
    return to
  }
  // One call at a time: each point is one state.
  let last: Promise<void> = Promise.resolve()
  const ends = new WeakMap<object, () => void>()
  let synced = false
  /** A sync that follows another one finds the same files, but for the journal's, after which git sets to work. */
  const followsSync = (operations: readonly FileOperation[]) => {
    const before = synced
    synced = operations.every(({ kind, path }) => kind === 'sync' && !path.includes('~requests'))
    return before && synced
  }
  const stop = await watchFiles(directory, {
    async before(operations) {
      const turn = last
      const { promise, resolve } = Promise.withResolvers<void>()
      last = promise
      ends.set(operations, resolve)
      await turn
      const label = nameOf(operations, directory)
      if (!followsSync(operations)) await copy(`before ${label}`)
      const removed = operations.find(({ kind }) => kind === 'remove')
      if (removed) await removeHalf(join(await copy(`in ${label}`), removed.path.slice(directory.length)))
      await before(operations)
    },
    async after(operations) {
      await after(operations)
      const written = operations.find(({ kind }) => kind === 'write')
      if (written) {
        const copied = await copy(`in ${nameOf(operations, directory)}`)
        await tear(join(copied, written.path.slice(directory.length)), written.bytes ?? 0)
      }
      ends.get(operations)?.()
    }
  })
  try {
    await work()
    await copy('answered')
  } finally {
    stop()
  }
  return points
}

/** A git process that works at the same time may rename a file before it is copied: the copy is then made again. */
async function copyDirectory(from: string, to: string): Promise<void> {
  for (;;) {
    try {
      return await cp(from, to, { recursive: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await rm(to, { recursive: true, force: true })
    }
  }
}

/** The next start removes old locks, and waits for young ones. */
async function ageLocks(directory: string): Promise<void> {
  const names = await readdir(directory, { recursive: true })
  for (const name of names.filter((path) => path.endsWith('.lock'))) await utimes(join(directory, name), 1, 1)
}

const nameOf = (operations: readonly FileOperation[], directory: string) =>
  operations.map(({ kind, path, to = '' }) => `${kind} ${path} ${to}`.replaceAll(directory, '').trim()).join(', ')

/** What a removal that was cut short leaves of a directory. */
async function removeHalf(path: string): Promise<void> {
  if (!(await stat(path)).isDirectory()) return
  const names = await readdir(path)
  for (const name of names.slice(0, Math.ceil(names.length / 2))) await rm(join(path, name), { recursive: true })
}

/** Half of the bytes that were written last. */
async function tear(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path)
  await truncate(path, size - Math.ceil(bytes / 2))
}

/** A write with its state before and after, and its answer. */
export interface Made {
  readonly write: Write
  readonly request: object
  readonly before: unknown
  readonly after: unknown
  readonly answer: object
}

/** A commit that is made again has another time of its making. */
const comparable = (answer: object): unknown =>
  answer instanceof Error ? answer : JSON.parse(JSON.stringify(answer).replace(/"timeSeconds":\d+/g, '"timeSeconds":0'))

/** Starts a store after a kill and repeats the write. @throws AssertionError where something was lost, partial or done twice */
export async function checkPoint({ directory, account }: CrashPoint, made: Made, isAnswered: boolean): Promise<void> {
  const { write, request, before, after, answer } = made
  const stop = await watchFiles(directory, accounting(account))
  const store = await GitStore.open(directory)
  try {
    const { call } = serviceOn(store)
    // A repository is tidied up when it is opened.
    for (const repository of await repositoriesOf(call)) await call('ListRefs', { repository })
    const found = await write.look(call)
    const isDone = isDeepStrictEqual(found, after)
    assert.ok(isDone || (!isAnswered && isDeepStrictEqual(found, before)), `partial or lost: ${JSON.stringify(found)}`)
    for (const time of ['repeated', 'repeated again']) {
      const again = await call(write.method, request).catch((error: Error) => error)
      const isMismatch = write.method === 'UpdateRefs' && (isDone || time === 'repeated again')
      if (isMismatch) assert.equal((again as { reason?: string }).reason, 'ref_mismatch')
      else assert.deepEqual(comparable(again), comparable(answer), `${time}: ${again}`)
      assert.deepEqual(await write.look(call), after, time)
      assert.deepEqual(account.list(directory, isMissed), [], `not synced when it was ${time}`)
    }
  } finally {
    await store.close()
    stop()
  }
  const names = await readdir(directory, { recursive: true })
  const left = names.filter((name) => !isMissed(name) || name.endsWith('.new'))
  assert.deepEqual(left, [], 'unfinished files')
  for (const name of names.filter((path) => path.endsWith('.git'))) {
    const { status, output } = git(join(directory, name), ['fsck', '--strict', '--no-dangling'])
    assert.deepEqual([status, output.match(/missing|corrupt|error|bad/)], [0, null], output)
  }
}
