/** Odd objects of every kind: the server's check says what `git fsck --strict` says, one run for all of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkObject } from '../../server-fixture/service/object-check/check-object.ts'
import { gitattributesProblems, gitmodulesProblems } from '../../server-fixture/service/object-check/dot-files.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import { BlobwireError } from '../../src/index.ts'
import { GitRepository } from '../support/git.ts'
import { mutations } from '../support/mutations.ts'
import { oddGitattributes, oddGitmodules } from '../support/odd-dot-files.ts'
import { oddCommits, oddTags, oddTrees } from '../support/odd-objects.ts'

/** Of the changes; another one tries others. */
const seed = Number(process.env['BLOBWIRE_SEED'] ?? 1)

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

/** In a tree that is not sorted, Git finds an entry that is there twice only if both are neighbours. */
function told(ids: readonly string[]): string {
  if (ids.includes('unreadable')) return 'unreadable'
  const kept = ids.includes('treeNotSorted') ? ids.filter((id) => id !== 'duplicateEntries') : [...ids]
  return kept.sort().join()
}

/** The reports of many objects, by the names of these. */
function assertSame(found: Readonly<Record<string, string>>, expected: Readonly<Record<string, string>>): void {
  const differing = Object.keys(expected).filter((name) => found[name] !== expected[name])
  assert.deepEqual(
    differing.map((name) => `${name}: ${found[name]}, Git: ${expected[name]}`),
    []
  )
}

/** Each of the contents as it is, and changed at random; in one format, because processes take their time. */
function withMutants(table: Readonly<Record<string, string | Buffer>>, format: ObjectFormat): [string, Buffer][] {
  const mutated = mutations(seed)
  return Object.entries(table).flatMap(([name, content]): [string, Buffer][] => {
    const bytes = Buffer.from(content as string, 'latin1')
    if (format === 'sha256') return [[name, bytes]]
    const changed = mutated(bytes)
    return [
      [name, bytes],
      [`${name}, changed: ${JSON.stringify(changed.toString('latin1'))}`, changed]
    ]
  })
}

test('a section with a long name and many keys takes no longer than the file is long', () => {
  const content = Buffer.from(`[submodule "${'a/'.repeat(250_000)}"]\n${'path = -a\n'.repeat(50_000)}`)
  const start = performance.now()
  assert.deepEqual(gitmodulesProblems(content), ['gitmodulesPath'])
  // 500 s where each key looks at the name of its section.
  assert.ok(performance.now() - start < 10_000)
})

for (const format of ['sha1', 'sha256'] as const) {
  describe(format, () => {
    test('the reports of .gitmodules and .gitattributes are those of git fsck --strict', (context) => {
      const git = new GitRepository(context, format)
      const found: Record<string, string> = {}
      const expected: Record<string, string> = {}
      const files = [
        { name: '.gitmodules', contents: withMutants(oddGitmodules, format), problemsOf: gitmodulesProblems },
        { name: '.gitattributes', contents: withMutants(oddGitattributes, format), problemsOf: gitattributesProblems }
      ]
      const stored = files.map(({ contents }) =>
        git.storeAll(
          'blob',
          contents.map(([, content]) => content)
        )
      )
      const trees = files.flatMap(({ name }, index) =>
        (stored[index] ?? []).map((oid) => Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(oid, 'hex')]))
      )
      git.storeAll('tree', trees)
      const reports = reportsOf(git)
      for (const [file, { contents, problemsOf }] of files.entries()) {
        for (const [index, [name, content]] of contents.entries()) {
          found[name] = problemsOf(content).sort().join()
          expected[name] = [...(reports.get(stored[file]?.[index] ?? '') ?? [])].sort().join()
        }
      }
      assertSame(found, expected)
    })

    test('the reports are those of git fsck --strict', (context) => {
      const git = new GitRepository(context, format)
      const blob = git.store('blob', Buffer.from('x'))
      const tree = git.run(['mktree'], `100644 blob ${blob}\tx\n`).trim()
      const tables = { tree: oddTrees({ blob, tree }), commit: oddCommits({ tree }), tag: oddTags({ blob }) }
      const cases = Object.entries(tables).flatMap(([kind, table]) => {
        const contents = withMutants(table, format)
        const oids = git.storeAll(
          kind,
          contents.map(([, content]) => content)
        )
        return contents.map(([name, content], index) => ({
          name: `${kind}: ${name}`,
          kind: kind as ObjectKind,
          oid: oids[index] as string,
          content
        }))
      })
      const reports = reportsOf(git)
      const found = cases.map(({ name, kind, content }) => [name, told(ownReports(kind, content, format))])
      const expected = cases.map(({ name, oid }) => [name, told([...(reports.get(oid) ?? [])])])
      assertSame(Object.fromEntries(found), Object.fromEntries(expected))
    })
  })
}
