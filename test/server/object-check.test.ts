/** Odd objects of every kind: the server's check says what `git fsck --strict` says, one run for all of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkObject } from '../../server-fixture/service/object-check/check-object.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import { BlobwireError } from '../../src/index.ts'
import { GitRepository } from '../support/git.ts'
import { oddCommits, oddTags, oddTrees } from '../support/odd-objects.ts'

/** The reports of Git about each object, by oid; `unreadable` for one that it cannot parse. */
function reportsOf(git: GitRepository): Map<string, Set<string>> {
  const reports = new Map<string, Set<string>>()
  const report = (oid: string, id: string) => {
    // Of a tree that Git cannot parse, it reports both.
    if (id === 'broken') return
    const known = id === 'badTree' ? 'unreadable' : id
    reports.set(oid, (reports.get(oid) ?? new Set()).add(known))
  }
  const { text } = git.try(['fsck', '--strict', '--no-dangling', '--no-reflogs'])
  for (const [, oid = '', id = ''] of text.matchAll(/^(?:error|warning) in \w+ ([0-9a-f]+): (\w+)/gm)) report(oid, id)
  for (const [, oid = ''] of text.matchAll(/^error: ([0-9a-f]+): object could not be parsed/gm))
    report(oid, 'unreadable')
  return reports
}

/** The same of the check. */
function ownReports(kind: ObjectKind, content: Uint8Array, format: ObjectFormat): string[] {
  try {
    return [...checkObject(kind, content, format).problems].sort()
  } catch (error) {
    assert.ok(error instanceof BlobwireError && error.code === 'invalid_argument')
    return ['unreadable']
  }
}

for (const format of ['sha1', 'sha256'] as const) {
  describe(format, () => {
    test('the reports are those of git fsck --strict', (context) => {
      const git = new GitRepository(context, format)
      const blob = git.store('blob', Buffer.from('x'))
      const tree = git.run(['mktree'], `100644 blob ${blob}\tx\n`).trim()
      const tables = {
        tree: oddTrees({ blob, tree }),
        commit: oddCommits({ tree }),
        tag: oddTags({ blob })
      }
      const cases = Object.entries(tables).flatMap(([kind, table]) => {
        const names = Object.keys(table)
        const oids = git.storeAll(kind, Object.values(table))
        return names.map((name, index) => ({
          name: `${kind}: ${name}`,
          kind: kind as ObjectKind,
          oid: oids[index] as string,
          content: table[name] as Uint8Array
        }))
      })
      const reports = reportsOf(git)
      const found = Object.fromEntries(
        cases.map(({ name, kind, content }) => [name, ownReports(kind, content, format).join()])
      )
      const expected = Object.fromEntries(
        cases.map(({ name, oid }) => [name, [...(reports.get(oid) ?? [])].sort().join()])
      )
      const differing = Object.keys(expected).filter((name) => found[name] !== expected[name])
      assert.deepEqual(
        differing.map((name) => `${name}: ${found[name]}, Git: ${expected[name]}`),
        []
      )
    })
  })
}
