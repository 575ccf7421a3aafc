/**
 * The same as `sync-order.test.ts`, seen from outside: the system calls of the store and of git's processes. It needs
 * strace (Debian: `apt-get install strace`), and is skipped without.
 */
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { followTrace, hasStrace, traceNode } from '../support/strace.ts'
import { isMissed, writes } from './every-write.ts'
import { removeDirectory } from './support.ts'

const skip = hasStrace ? false : 'strace is missing, or may not trace'

test('every name and byte of an answered write is synced, those of git included', { skip }, async (context) => {
  const parent = await mkdtemp(join(tmpdir(), 'traced-'))
  context.after(() => removeDirectory(parent))
  const directory = join(parent, 'data')
  const lines = traceNode(join(parent, 'trace'), [join(import.meta.dirname, 'every-write-child.ts'), directory])
  const undone: Record<string, string[]> = {}
  followTrace(lines, (text, account) => {
    const [, name] = /^answered (.*)$/.exec(text) ?? []
    if (name !== undefined) undone[name] = account.list(directory, isMissed)
  })
  const names = ['opening', ...writes.map(({ name }) => name), 'refusal', 'closing']
  assert.deepEqual(undone, Object.fromEntries(names.map((name) => [name, []])))
})
