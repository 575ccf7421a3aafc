/** Odd objects of every kind: the server's check says what `git fsck --strict` says, one run for all of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkObject } from '../../server-fixture/service/object-check/check-object.ts'
import { gitattributesProblems, gitmodulesProblems } from '../../server-fixture/service/object-check/dot-files.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import { BlobwireError } from '../../src/index.ts'
import { GitRepository } from '../support/git.ts'
import { oddGitattributes, oddGitmodules } from '../support/odd-dot-files.ts'
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

/** The reports of many objects, by the names of these. */
function assertSame(found: Readonly<Record<string, string>>, expected: Readonly<Record<string, string>>): void {
  const differing = Object.keys(expected).filter((name) => found[name] !== expected[name])
  assert.deepEqual(
    differing.map((name) => `${name}: ${found[name]}, Git: ${expected[name]}`),
    []
  )
}

for (const format of ['sha1', 'sha256'] as const) {
  describe(format, () => {
    test('the reports of .gitmodules and .gitattributes are those of git fsck --strict', (context) => {
      const git = new GitRepository(context, format)
      const found: Record<string, string> = {}
      const expected: Record<string, string> = {}
      const blobs = (table: Readonly<Record<string, string>>) =>
        git.storeAll(
          'blob',
          Object.values(table).map((text) => Buffer.from(text, 'latin1'))
        )
      const tables = { '.gitmodules': blobs(oddGitmodules), '.gitattributes': blobs(oddGitattributes) }
      const trees = Object.entries(tables).flatMap(([name, oids]) =>
        oids.map((oid) => Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(oid, 'hex')]))
      )
      git.storeAll('tree', trees)
      const reports = reportsOf(git)
      for (const [index, [name, text]] of Object.entries(oddGitmodules).entries()) {
        found[name] = gitmodulesProblems(Buffer.from(text, 'latin1')).sort().join()
        expected[name] = [...(reports.get(tables['.gitmodules'][index] as string) ?? [])].sort().join()
      }
      for (const [index, [name, text]] of Object.entries(oddGitattributes).entries()) {
        found[name] = gitattributesProblems(Buffer.from(text, 'latin1')).join()
        expected[name] = [...(reports.get(tables['.gitattributes'][index] as string) ?? [])].join()
      }
      assertSame(found, expected)
    })

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
      assertSame(found, expected)
    })
  })
}
