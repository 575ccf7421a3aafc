/** Reads a trace of system calls, as `strace -f -y` writes it, and keeps account of what is not synced. Source: strace(1). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { childEnvironment, root } from './child.ts'
import { Unsynced } from './unsynced.ts'

const calls = [
  ...['open', 'openat', 'creat', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat'],
  ...['unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'fsync', 'fdatasync', 'sync_file_range', 'truncate'],
  ...['ftruncate', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'copy_file_range', 'sendfile']
]

/** Whether programs can be traced here. */
export const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0

/** Runs Node with a trace of it and of every process that it starts. Returns the lines. */
export function traceNode(file: string, args: readonly string[]): string[] {
  const options = ['-f', '-y', '-qq', '-s', '80', '-e', `trace=${calls.join(',')}`, '-e', 'signal=none', '-o', file]
  // With io_uring libuv would make no system calls.
  const env = { ...childEnvironment, UV_USE_IO_URING: '0' }
  const result = spawnSync('strace', [...options, process.execPath, ...args], { cwd: root, env, encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
  return readFileSync(file, 'utf8').split('\n').filter(Boolean)
}

/** A call that has begun in one process, until the line that tells its end. */
interface Unfinished {
  readonly text: string
  readonly ended: (() => void) | undefined
}

/** Goes through the lines; `onOutput` is called with each text that the traced program writes to its standard output. */
export function followTrace(lines: readonly string[], onOutput: (text: string, account: Unsynced) => void): void {
  const account = new Unsynced()
  const present = new Set<string>()
  const unfinished = new Map<string, Unfinished>()
  for (const line of lines) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (rest.startsWith('+++') || rest.startsWith('---')) continue
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1]
    if (begun !== undefined) {
      unfinished.set(pid, { text: begun, ended: syncOf(begun, account) })
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1]
    const before = resumed === undefined ? undefined : unfinished.get(pid)
    const text = before ? before.text + resumed : rest
    // Calls that failed have changed nothing.
    if (!/\) += \d/.test(text)) continue
    const ended = before ? before.ended : syncOf(text, account)
    if (ended) ended()
    else if (/^write\(1</.test(text)) onOutput(/"(.*?)(?:\\n)?"/.exec(text)?.[1] ?? '', account)
    else change(text, account, present)
  }
}

function syncOf(text: string, account: Unsynced): (() => void) | undefined {
  const [, path] = /^(?:fsync|fdatasync)\(\d+<(.*?)>/.exec(text) ?? []
  return path === undefined ? undefined : account.syncing(path)
}

/** The paths among the arguments; relative ones follow the directory that they are relative to. */
function pathsOf(text: string): string[] {
  // The target of a symbolic link is any text.
  const found = text
    .replace(/^symlink(at)?\("[^"]*"/, '')
    .matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)
  return Array.from(found, ([, directory, path = '']) => {
    assert.ok(directory !== undefined || path.startsWith('/'), text)
    return resolve(directory ?? '/', path)
  })
}

function change(text: string, account: Unsynced, present: Set<string>): void {
  const [, name = ''] = /^(\w+)\(/.exec(text) ?? []
  const appear = (path: string) => {
    if (!present.has(path)) account.named(path)
    present.add(path)
  }
  if (/write|truncate|sendfile|copy_file/.test(name)) {
    const [, path = ''] = /<(\/.*?)>/.exec(text) ?? []
    return account.written(path)
  }
  const [path = '', to = ''] = pathsOf(text)
  if (name.startsWith('open') || name === 'creat') {
    if (!/O_CREAT|^creat/.test(text)) return
    if (text.includes('O_TRUNC')) account.written(path)
    appear(path)
  } else if (name.startsWith('mkdir')) appear(path)
  else if (name.startsWith('rename')) {
    present.delete(path)
    present.add(to)
    account.renamed(path, to)
  } else if (name.startsWith('symlink')) appear(path)
  else if (name.startsWith('link')) appear(to)
  else {
    present.delete(path)
    account.removed(path)
  }
}
