/** Watches the operations by which this process changes files below a directory. Those of git's processes are not seen. */
import { existsSync, type PathLike } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, resolve } from 'node:path'
import type { Unsynced } from './unsynced.ts'

/** One operation. */
export interface FileOperation {
  readonly kind: 'create' | 'write' | 'sync' | 'rename' | 'link' | 'remove' | 'mkdir' | 'truncate'
  readonly path: string
  /** The new path of a rename or link. */
  readonly to?: string
  /** Bytes that a write adds, for those who tear it. */
  readonly bytes?: number
}

/** Is told of the operations of one call. */
export interface FileWatcher {
  /** The call waits for this. */
  before?(operations: readonly FileOperation[]): Promise<void> | void
  after?(operations: readonly FileOperation[]): Promise<void> | void
}

type Operation = (...args: never[]) => Promise<unknown>

/** Those who watch, and the directory of each. */
const watchers = new Map<FileWatcher, string>()
let uninstall: (() => void) | undefined

/** Tells the watcher of the operations below the directory from now on. Returns a function that ends this. */
export async function watchFiles(directory: string, watcher: FileWatcher): Promise<() => void> {
  watchers.set(watcher, resolve(directory))
  uninstall ??= await install(directory)
  return () => {
    watchers.delete(watcher)
    if (watchers.size > 0) return
    uninstall?.()
    uninstall = undefined
  }
}

async function told(operations: readonly FileOperation[], work: () => Promise<unknown>): Promise<unknown> {
  const [syncs, changes] = [operations.filter(isSync), operations.filter((operation) => !isSync(operation))]
  if (changes.length === 0) return await toldOf(syncs, work)
  const result = await toldOf(changes, work)
  // A change and its sync may be one call: then the sync is told of after the change.
  await toldOf(syncs, () => Promise.resolve())
  return result
}

const isSync = ({ kind }: FileOperation) => kind === 'sync'

async function toldOf(operations: readonly FileOperation[], work: () => Promise<unknown>): Promise<unknown> {
  const isBelow = (path: string, top: string) => path === top || path.startsWith(`${top}/`)
  const interested = [...watchers].filter(([, top]) => operations.some(({ path }) => isBelow(path, top)))
  for (const [watcher] of interested) await watcher.before?.(operations)
  try {
    return await work()
  } finally {
    for (const [watcher] of interested) await watcher.after?.(operations)
  }
}

/** Puts itself between the process and its files. */
async function install(directory: string): Promise<() => void> {
  const paths = new WeakMap<object, string>()
  const handle = await fs.open(directory)
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const undo: (() => void)[] = []

  function wrap(target: object, name: string, wrapped: (original: Operation) => Operation): void {
    const methods = target as Record<string, Operation>
    const original = methods[name] as Operation
    methods[name] = wrapped(original)
    undo.push(() => {
      methods[name] = original
    })
  }

  const ofPath = (name: string, operationsOf: (path: string, ...args: never[]) => FileOperation[]) =>
    wrap(fs, name, (original) => (...args: never[]) => {
      const [path, ...others] = args as unknown as [PathLike, ...never[]]
      return told(operationsOf(resolve(String(path)), ...others), () => original(...args))
    })
  const ofHandle = (name: string, operationsOf: (path: string, ...args: never[]) => FileOperation[]) =>
    wrap(
      prototype,
      name,
      (original) =>
        function (this: FileHandle, ...args: never[]) {
          return told(operationsOf(paths.get(this) ?? '', ...args), () => original.apply(this, args))
        } as Operation
    )

  ofPath('rename', (path, to: string) => [{ kind: 'rename', path, to: resolve(to) }])
  ofPath('link', (path, to: string) => [{ kind: 'link', path, to: resolve(to) }])
  ofPath('mkdir', (path) => missing(path).map((made) => ({ kind: 'mkdir', path: made })))
  for (const name of ['rm', 'rmdir', 'unlink'])
    ofPath(name, (path) => (existsSync(path) ? [{ kind: 'remove', path }] : []))
  ofPath('appendFile', (path, text: string) => [{ kind: 'write', path, bytes: text.length }])
  ofPath('writeFile', (path, text: string, options?: { flush?: boolean }) => {
    const written: FileOperation[] = [
      { kind: 'create', path },
      { kind: 'write', path, bytes: text.length }
    ]
    return options?.flush ? [...written, { kind: 'sync', path }] : written
  })
  wrap(fs, 'open', (original) => async (...args: never[]) => {
    const [given, flags = 'r'] = args as unknown as [PathLike, string | number]
    const path = resolve(String(given))
    const creates = typeof flags === 'number' ? (flags & fs.constants.O_CREAT) !== 0 : /^[aw]/.test(flags)
    const opened = (await told(creates ? [{ kind: 'create', path }] : [], () => original(...args))) as FileHandle
    paths.set(opened, path)
    return opened
  })
  for (const name of ['sync', 'datasync']) ofHandle(name, (path) => [{ kind: 'sync', path }])
  ofHandle('write', (path, _bytes: Uint8Array, _at: number, bytes: number) => [{ kind: 'write', path, bytes }])
  ofHandle('truncate', (path) => [{ kind: 'truncate', path }])
  syncBuiltinESMExports()
  return () => {
    for (const restore of undo) restore()
    syncBuiltinESMExports()
  }
}

/** The directories on the way to a path that are not there, the uppermost first. */
function missing(path: string): string[] {
  return existsSync(path) ? [] : [...missing(dirname(path)), path]
}

/** A watcher that keeps account of what is not synced. */
export function accounting(account: Unsynced): Required<FileWatcher> {
  const ends = new Map<string, (() => void)[]>()
  return {
    before(operations) {
      for (const { kind, path } of operations) {
        if (kind === 'sync') ends.set(path, [...(ends.get(path) ?? []), account.syncing(path)])
      }
    },
    after(operations) {
      for (const { kind, path, to = '' } of operations) {
        if (kind === 'sync') ends.get(path)?.shift()?.()
        else if (kind === 'rename') account.renamed(path, to)
        else if (kind === 'link') account.linked(path, to)
        else if (kind === 'remove') account.removed(path)
        else if (kind === 'write' || kind === 'truncate') account.written(path)
        else account.named(path)
      }
    }
  }
}
