/** Oids, trees and commits that we encode, against those that git makes of the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeCommit, parseCommit } from '../../src/git/commit.ts'
import { emptyTreeOid, hashObject, isOid, newObjectHash, objectFormats, oidLength, zeroOid } from '../../src/git/oid.ts'
import { parseTag } from '../../src/git/tag.ts'
import { encodeTree, parseTree, type TreeItem } from '../../src/git/tree.ts'
import { buildTrees, type PathEntry } from '../../src/git/tree-builder.ts'
import { GitRepository } from '../support/git.ts'
import { randomNumbers } from '../support/random.ts'

test('an object in pieces has the oid of the whole', () => {
  const content = Buffer.from('one, two and three\n')
  for (const format of objectFormats) {
    const hash = newObjectHash('blob', content.length, format)
    for (const byte of content) hash.update(Uint8Array.of(byte))
    assert.equal(Buffer.from(hash.digest()).toString('hex'), hashObject('blob', content, format))
  }
})

test('a commit is canonical where its fields encode to its bytes, and not otherwise', () => {
  const random = randomNumbers(7)
  const oid = 'ab'.repeat(20)
  const pieces = ['\n', ' ', '<', '>', '0', '9', '+', '-', 'é', '\0', 'parent ', 'author ', '\ufffd', oid, '\u00a0']
  const bases = [1, 2].map((parents) =>
    [
      `tree ${oid}\n${`parent ${oid}\n`.repeat(parents)}author Ada L <a@b> 1 +0000\n`,
      'committer Grüße 日本 <c> 1700000000 -0330\n\nmessage\n\nwith lines\n'
    ].join('')
  )
  let exact = 0
  for (let round = 0; round < 20_000; round++) {
    const base = bases[random(2)] as string
    const at = random(base.length)
    const changed = base.slice(0, at) + (pieces[random(pieces.length)] ?? '') + base.slice(at + random(3))
    const bytes = Buffer.from(changed, random(20) === 0 ? 'latin1' : 'utf8')
    let parsed: ReturnType<typeof parseCommit>
    try {
      parsed = parseCommit(bytes)
    } catch {
      continue
    }
    let again: Uint8Array | undefined
    try {
      again = encodeCommit(parsed)
    } catch {
      // Git has commits that are refused here.
    }
    const isSame = again !== undefined && bytes.equals(again)
    assert.equal(parsed.canonical, isSame, JSON.stringify(changed))
    if (isSame) exact++
  }
  assert.ok(exact > 1000, `${exact} of them`)
})

const zones = ['+0000', '-0000', '-0330', '+1345', '-1200']
const messages = [
  'with a newline\n',
  'without',
  '',
  'Grüße — 日本語 🎉\n',
  '\n\nleading\n\n\n',
  'a\r\nb\ttab "quotes" \\\n'
]

for (const format of ['sha1', 'sha256'] as const) {
  describe(format, () => {
    test('blobs of 0 B, 1 B, 50 B, around the joining size, and 1 MiB', (context) => {
      const git = new GitRepository(context, format)
      for (const size of [0, 1, 50, 4095, 4096, 4097, 1024 * 1024]) {
        const content = new Uint8Array(size).fill(size % 251)
        assert.equal(hashObject('blob', content, format), git.run(['hash-object', '--stdin'], content).trim())
      }
    })

    test('trees: order, modes and names that need care', (context) => {
      const git = new GitRepository(context, format)
      const blob = git.store('blob', Buffer.from('x'))
      const tree = git.store('tree', Buffer.alloc(0))
      const commit = 'ab'.repeat(oidLength(format) / 2)
      assert.equal(tree, emptyTreeOid(format))
      const names = [
        'a',
        'a.b',
        'a-b',
        'a0',
        'ab',
        'A',
        '.hidden',
        ' space ',
        'quote"',
        "it's",
        'back\\slash',
        'tab\t',
        'new\nline',
        'Ünïcödé',
        '日本語',
        '🎉',
        '\u{e000}',
        '-',
        '~',
        'z'.repeat(255)
      ]
      const items: TreeItem[] = names.map((name, index) => ({
        name: Buffer.from(name),
        mode: ['100644', '100755', '120000', '160000'][index % 4] as string,
        oid: index % 4 === 3 ? commit : blob
      }))
      // As directories these sort elsewhere than as files: "a/" comes after "a-b" and "a.b".
      for (const name of ['a1', 'a0-', 'a0.b', 'B', 'dir', 'dir-x', 'dir.x', 'dir0']) {
        items.push({
          name: Buffer.from(name),
          mode: name.length > 3 ? '100644' : '040000',
          oid: name.length > 3 ? blob : tree
        })
      }
      const listing = Buffer.concat(
        items.map(({ name, mode, oid }) => {
          const kind = mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob'
          return Buffer.concat([Buffer.from(`${mode} ${kind} ${oid}\t`), name, Buffer.from('\0')])
        })
      )
      const expected = git.run(['mktree', '-z', '--missing'], listing).trim()
      const content = encodeTree([...items].reverse(), format)
      assert.equal(hashObject('tree', content, format), expected)
      assert.deepEqual(encodeTree(parseTree(content, format), format), content)
      assert.deepEqual(Buffer.from(content), git.bytes(['cat-file', 'tree', expected]))
    })

    test('nested trees from paths, as an index makes them', (context) => {
      const git = new GitRepository(context, format)
      const blob = git.store('blob', Buffer.from('x'))
      const entries: PathEntry[] = []
      for (let index = 0; index < 500; index++) {
        const path = `d${index % 7}/e${index % 13}.x/${index % 3 ? '' : 'deeper/'}f-${index}`
        entries.push({ path, mode: index % 5 ? '100644' : '100755', oid: blob })
      }
      entries.push({ path: 'd0.file', mode: '120000', oid: blob }, { path: 'd0-file', mode: '100644', oid: blob })
      const index = entries.map(({ path, mode, oid }) => `${mode} ${oid}\t${path}\0`).join('')
      git.run(['update-index', '--add', '-z', '--index-info'], index)
      const built = buildTrees(entries, format)
      assert.equal(built.oid, git.run(['write-tree']).trim())
      for (const [oid, content] of built.trees) assert.equal(hashObject('tree', content, format), oid)
      assert.equal(buildTrees([], format).oid, emptyTreeOid(format))
    })

    test('commits: parents, zones and messages', (context) => {
      const git = new GitRepository(context, format)
      const tree = git.store('tree', Buffer.alloc(0))
      const parents: string[] = []
      let count = 0
      for (const message of messages) {
        for (const zone of zones) {
          const author = { name: 'Ada Löve', email: 'ada@example.org', timeSeconds: 1_700_000_000 + count++, zone }
          const committer = { ...author, name: "O'Neil, Jr", timeSeconds: 0, zone: '+0100' }
          const fields = { tree, parents: parents.slice(0, count % 4), author, committer, message }
          const content = encodeCommit(fields)
          const oid = git.run(['hash-object', '-t', 'commit', '-w', '--stdin'], content).trim()
          assert.equal(hashObject('commit', content, format), oid)
          assert.deepEqual(parseCommit(content), { ...fields, encoding: '', date: 0, canonical: true })
          parents.unshift(oid)
        }
      }
      // git's own hand, not only its check: commit-tree writes the same bytes.
      const fields = {
        tree,
        parents: parents.slice(0, 3),
        author: { name: 'A', email: 'a@b', timeSeconds: 5, zone: '-0330' },
        committer: { name: 'B', email: '', timeSeconds: 6, zone: '+1345' },
        message: 'merge\n'
      }
      const made = git
        .run([...['-c', 'core.commentChar=#', 'hash-object', '-t', 'commit', '-w', '--stdin']], encodeCommit(fields))
        .trim()
      git.run(['update-ref', 'refs/heads/main', made])
      const fsck = git.try(['fsck', '--strict', '--full'])
      assert.ok(fsck.ok, fsck.text)
      const log = git.run(['log', '-1', '--format=%T %P|%an <%ae> %ad|%cn <%ce> %cd|%B', '--date=raw', made])
      assert.equal(log.trim(), `${tree} ${fields.parents.join(' ')}|A <a@b> 5 -0330|B <> 6 +1345|merge`)
    })

    test('commits that our fields cannot express are not canonical', () => {
      const head = `tree ${'ab'.repeat(oidLength(format) / 2)}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n`
      const odd = [
        `${head}gpgsig -----BEGIN\n more\n -----END\n\nsigned\n`,
        `${head}encoding ISO-8859-1\n\nplain\n`,
        `${head.replace('A <a> 1 +0000', 'A  <a> 01 +0000')}\nodd author\n`,
        head
      ]
      for (const text of odd) assert.equal(parseCommit(Buffer.from(text)).canonical, false, text)
      const latin1 = Buffer.from(`${head}\nGr\xfc\xdfe\n`, 'latin1')
      assert.equal(parseCommit(latin1).canonical, false)
      assert.equal(parseCommit(latin1).message, 'Gr\ufffd\ufffde\n')
      assert.equal(parseCommit(Buffer.from(odd[0] as string)).message, 'signed\n')
    })

    test('annotated tags are followed', (context) => {
      const git = new GitRepository(context, format)
      const blob = git.store('blob', Buffer.from('x'))
      git.run(['-c', 'user.name=A', '-c', 'user.email=a@b', 'tag', '-a', 'v1', '-m', 'one', blob])
      const tag = parseTag(git.bytes(['cat-file', 'tag', 'v1']))
      assert.deepEqual([tag.object, tag.kind, tag.name, tag.message], [blob, 'blob', 'v1', 'one\n'])
      assert.ok(tag.canonical && tag.tagger?.email === 'a@b')
    })

    test('bytes that are no tree, commit or tag are data loss', () => {
      const good = encodeTree([{ name: Buffer.from('a'), mode: '100644', oid: zeroOid(format) }], format)
      for (let length = 1; length < good.length; length++) {
        assert.throws(() => parseTree(good.subarray(0, length), format), { code: 'data_loss', reason: 'integrity' })
      }
      assert.throws(() => parseTree(Buffer.from('9 a\0'.padEnd(60)), format), { code: 'data_loss' })
      for (const text of ['', 'tree x\n', 'tag v1\n']) {
        assert.throws(() => parseCommit(Buffer.from(text)), { code: 'data_loss', reason: 'integrity' })
        assert.throws(() => parseTag(Buffer.from(text)), { code: 'data_loss', reason: 'integrity' })
      }
    })
  })
}

test('the form of an oid', () => {
  assert.ok(isOid('a'.repeat(40)) && isOid('0'.repeat(64), 'sha256'))
  for (const text of ['', 'a'.repeat(39), 'A'.repeat(40), 'g'.repeat(40), ` ${'a'.repeat(40)}`, 'a'.repeat(41)]) {
    assert.equal(isOid(text), false, text)
  }
  assert.equal(isOid('a'.repeat(40), 'sha256'), false)
})
