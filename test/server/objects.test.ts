/** Objects by their bytes: strict and lenient checks on both stores, addresses, limits, and tags as Git makes them. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { checkObject } from '../../server-fixture/service/object-check/check-object.ts'
import { hashObject, type ObjectKind, zeroOid } from '../../src/git/oid.ts'
import { encodeTag } from '../../src/git/tag.ts'
import type { BlobwireError, Repository } from '../../src/index.ts'
import { GitRepository } from '../support/git.ts'
import { oddCommits, oddTags, oddTrees } from '../support/odd-objects.ts'
import { atEnd, testServer } from '../support/server.ts'

const tagger = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1_700_000_000, zone: '-0330' }

/** Objects of each kind that name nothing but these. */
async function oddObjects(repo: Repository): Promise<{ kind: ObjectKind; name: string; content: Buffer }[]> {
  const { oid: blob } = await repo.storeBlob('x')
  const { oid: tree } = await repo.storeTree([{ path: 'x', mode: '100644', oid: blob }])
  const tables = { tree: oddTrees({ blob, tree }), commit: oddCommits({ tree }), tag: oddTags({ blob }) }
  const absent = ['ab'.repeat(20), zeroOid('sha1')]
  return Object.entries(tables).flatMap(([kind, table]) =>
    Object.entries(table)
      .filter(([, content]) => !absent.some((oid) => namesObject(kind as ObjectKind, content, oid)))
      .map(([name, content]) => ({ kind: kind as ObjectKind, name, content }))
  )
}

function namesObject(kind: ObjectKind, content: Uint8Array, oid: string): boolean {
  const checked = readable(kind, content)
  return checked?.named.some((named) => named.oid === oid) ?? false
}

/** Undefined for bytes that Git cannot read. */
function readable(kind: ObjectKind, content: Uint8Array) {
  try {
    return checkObject(kind, content, 'sha1')
  } catch {
    return undefined
  }
}

for (const store of ['memory', 'git'] as const) {
  test(`store ${store}: a strict check refuses by Git's names, a lenient one takes all that Git can read`, async (context) => {
    const fixture = atEnd(context, await testServer({ store }))
    const repo = fixture.client({ transport: 'msgpack' }).repository('demo')
    await repo.createRepository()
    const objects = await oddObjects(repo)
    const lenient = await repo.batch(
      objects.map(({ kind, content }) => ({ storeObject: { kind, content, check: 'lenient' as const } }))
    )
    const strict = await repo.batch(objects.map(({ kind, content }) => ({ storeObject: { kind, content } })))
    for (const [index, { kind, name, content }] of objects.entries()) {
      const checked = readable(kind, content)
      const [taken, exact] = [lenient[index], strict[index]]
      if (checked === undefined) {
        assert.deepEqual([taken?.error?.code, exact?.error?.code], ['invalid_argument', 'invalid_argument'], name)
        assert.match(taken?.error?.message ?? '', /content: Git cannot read the bytes as a/)
        continue
      }
      const oid = hashObject(kind, content, 'sha1')
      assert.deepEqual(taken?.value?.warnings.map(({ id }) => id).sort(), [...checked.problems].sort(), name)
      assert.deepEqual([taken?.value?.oid, taken?.value?.size], [oid, content.length])
      if (checked.problems.length === 0)
        assert.deepEqual(exact?.value, { oid, size: content.length, warnings: [] }, name)
      else {
        assert.equal(exact?.error?.code, 'invalid_argument')
        for (const id of [...checked.problems, "check: 'lenient'"]) assert.ok(exact?.error?.message.includes(id), name)
      }
    }
    const stored = objects.filter(({ kind, content }) => readable(kind, content) !== undefined)
    const oids = stored.map(({ kind, content }) => hashObject(kind, content, 'sha1'))
    const read = await repo.batch(oids.map((oid) => ({ getObject: { oid } })))
    for (const [index, { kind, name, content }] of stored.entries()) {
      const value = read[index]?.value ?? assert.fail(name)
      assert.deepEqual([value.oid, value.kind, value.size], [oids[index], kind, content.length], name)
      assert.ok(content.equals(value.content), name)
    }
    // All that is taken can be read as what it is.
    const reads = stored.map(({ kind }, index) => {
      const revision = oids[index] as string
      if (kind === 'tree') return { getTree: { revision } }
      return kind === 'commit' ? { getCommit: { revision } } : { getTag: { revision } }
    })
    const seen = await repo.batch(reads)
    const unread = stored.flatMap(({ name }, index) =>
      seen[index]?.ok ? [] : `${name}: ${seen[index]?.error?.message}`
    )
    assert.deepEqual(unread, [])
    if (store === 'memory') return
    const git = new GitRepository(context, 'sha1')
    const directory = join(fixture.data, 'demo.git')
    const listed = git.run(['--git-dir', directory, 'cat-file', '--batch-check'], oids.join('\n'))
    const expected = stored.map(({ kind, content }, index) => `${oids[index]} ${kind} ${content.length}`)
    assert.deepEqual(listed.trim().split('\n'), expected)
  })
}

describe('in a repository', () => {
  async function demo(context: Parameters<typeof atEnd>[0], options: Parameters<typeof testServer>[0] = {}) {
    const fixture = atEnd(context, await testServer(options))
    const repo = fixture.client({ transport: 'msgpack' }).repository('demo')
    await repo.createRepository()
    return { fixture, repo }
  }

  test('an object needs those that it names, of the right kind; the commit of a submodule is elsewhere', async (context) => {
    const { repo } = await demo(context)
    const { oid: blob } = await repo.storeBlob('x')
    const absent = 'ab'.repeat(20)
    const entry = (mode: string, oid: string) => Buffer.concat([Buffer.from(`${mode} a\0`), Buffer.from(oid, 'hex')])
    for (const check of ['strict', 'lenient'] as const) {
      const missing = repo.storeObject({ kind: 'tree', content: entry('100644', absent), check })
      await assert.rejects(missing, ({ reason, details }: BlobwireError) => {
        assert.deepEqual([reason, details.missingOids], ['missing_object', [absent]])
        return true
      })
      const wrong = repo.storeObject({ kind: 'tree', content: entry('40000', blob), check })
      await assert.rejects(wrong, { reason: 'wrong_kind' })
      const tag = `object ${blob}\ntype commit\ntag x\ntagger A <a@b> 1 +0000\n\n`
      await assert.rejects(repo.storeObject({ kind: 'tag', content: tag, check }), { reason: 'wrong_kind' })
      await repo.storeObject({ kind: 'tree', content: entry('160000', absent), check })
    }
    // In a batch, objects see those before them.
    const tree = hashObject('tree', entry('100644', blob), 'sha1')
    const people = 'author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n'
    const results = await repo.batch([
      { storeObject: { kind: 'commit', content: `tree ${'cd'.repeat(20)}\n${people}\n` } },
      { storeObject: { kind: 'tree', content: entry('100644', blob) } },
      { storeObject: { kind: 'commit', content: `tree ${tree}\n${people}\n` } }
    ])
    assert.deepEqual(
      results.map(({ error }) => error?.reason ?? 'stored'),
      ['missing_object', 'stored', 'stored']
    )
  })

  test('a tree is checked with its .gitmodules and .gitattributes', async (context) => {
    const { repo } = await demo(context, { limits: { maxInlineBytes: 5000 } })
    const treeOf = async (name: string, content: string, mode = '100644') => {
      const { oid } = await repo.storeBlob(content)
      return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
    }
    const module = await treeOf('.gitmodules', '[submodule "a"]\nurl = -x\nupdate = !x\n')
    const lines = await treeOf('.GitAttributes', `${'x'.repeat(2048)}\n`)
    const { oid } = await repo.storeTree([])
    const directory = Buffer.concat([Buffer.from('40000 .gitmodules\0'), Buffer.from(oid, 'hex')])
    const elsewhere = Buffer.concat([Buffer.from('160000 .gitmodules\0'), Buffer.alloc(20, 'x')])
    for (const [content, ids] of [
      [directory, ['gitmodulesBlob']],
      [elsewhere, ['gitmodulesMissing']],
      [module, ['gitmodulesUrl', 'gitmodulesUpdate']],
      [lines, ['gitattributesLineLength']]
    ] as const) {
      for (const id of ids) {
        await assert.rejects(repo.storeObject({ kind: 'tree', content }), { message: new RegExp(`${id} \\(`) })
      }
      const { warnings } = await repo.storeObject({ kind: 'tree', content, check: 'lenient' })
      assert.deepEqual(
        warnings.map(({ id }) => id),
        ids
      )
    }
    await repo.storeObject({ kind: 'tree', content: await treeOf('gitmodules', '[submodule "a"]\nurl = -x\n') })
  })

  test('objects above the limits are refused, in both directions', async (context) => {
    const { repo } = await demo(context, { limits: { maxInlineBytes: 1000, maxBatchBytes: 20_000 } })
    const limitOf = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => assert.fail('taken'),
        (refused: BlobwireError) => refused
      )
      assert.equal(error.code, 'resource_exhausted')
      assert.match(error.message, /exceeds max_/)
      return [error.details.limit?.limit, error.details.limit?.maximum]
    }
    const blob = repo.storeObject({ kind: 'blob', content: Buffer.alloc(1001) })
    assert.deepEqual(await limitOf(blob), ['max_inline_bytes', 1000])
    const { oid } = await repo.storeBlob('x')
    const item = (index: number) => ({ path: `file-${String(index).padStart(10, '0')}`, mode: '100644' as const, oid })
    const entries = Array.from({ length: 150 }, (_, index) => item(index))
    const first = await repo.storeTree(entries)
    const { content } = await repo.getObject(first.oid)
    assert.ok(content.length > 1000)
    await repo.storeObject({ kind: 'tree', content })
    const large = Buffer.from('x'.repeat(20_001))
    assert.deepEqual(await limitOf(repo.storeObject({ kind: 'tree', content: large })), ['max_batch_bytes', 20_000])
    let tree = first.oid
    for (let from = 150; from < 600; from += 150) {
      const more = entries.map((_, index) => item(from + index))
      tree = (await repo.storeTree(more, { baseTree: tree })).oid
    }
    assert.deepEqual(await limitOf(repo.getObject(tree)), ['max_batch_bytes', 20_000])
  })

  test('addresses: oid, revision, path; a tag stands for itself', async (context) => {
    const { repo } = await demo(context)
    const author = { name: 'A', email: 'a@b' }
    const made = await repo.commitFiles({ branch: 'main', changes: { 'a/b': 'x' }, message: 'm\n', author })
    const tag = await repo.storeTag({ object: made.oid, name: 'v1', tagger, message: 'm\n' })
    const fields = { object: tag.oid, kind: 'tag', name: 'v2', tagger, message: 'm\n' } as const
    const outer = { oid: hashObject('tag', encodeTag(fields), 'sha1') }
    const update = (name: string, newOid: string) => ({ name: `refs/tags/${name}`, expectedOid: null, newOid })
    await repo.updateRefs([update('v1', tag.oid), update('light', made.oid)])
    // The tag and its ref in one atomic batch; the oid is known before.
    const both = [
      { storeTag: { object: tag.oid, name: 'v2', tagger, message: 'm\n' } },
      { updateRefs: { updates: [update('v2', outer.oid)] } }
    ]
    for (const { error } of await repo.batch(both, { atomic: true })) assert.equal(error, undefined)
    const kindOf = async (address: Parameters<Repository['getObject']>[0]) => {
      const { kind, oid } = await repo.getObject(address)
      return [kind, oid]
    }
    assert.deepEqual(await kindOf({ revision: 'HEAD' }), ['commit', made.oid])
    assert.deepEqual(await kindOf({ revision: 'v2' }), ['tag', outer.oid])
    assert.deepEqual(await kindOf({ revision: 'light' }), ['commit', made.oid])
    assert.deepEqual(await kindOf({ revision: 'v2', path: 'a/b' }), [
      'blob',
      hashObject('blob', Buffer.from('x'), 'sha1')
    ])
    assert.equal((await kindOf({ revision: 'v2', path: 'a' }))[0], 'tree')
    await assert.rejects(repo.getObject({ revision: 'v1', path: 'c' }), { code: 'not_found', reason: 'path' })
    await assert.rejects(repo.getObject('ab'.repeat(20)), { code: 'not_found', reason: 'object' })
    await assert.rejects(repo.getObject({ revision: 'none' }), { code: 'not_found', reason: 'revision' })
    await assert.rejects(repo.getObject({ revision: 'v1~5' }), { code: 'not_found' })
    assert.deepEqual(await kindOf({ revision: 'v1~0' }), ['commit', made.oid])
    const { tag: read } = await repo.getTag('refs/tags/v2')
    assert.deepEqual([read.object, read.kind, read.name], [tag.oid, 'tag', 'v2'])
    for (const revision of ['light', 'main', made.oid, made.tree]) {
      await assert.rejects(repo.getTag(revision), { code: 'failed_precondition', reason: 'wrong_kind' })
    }
    assert.equal((await repo.getCommit('v2')).commit.oid, made.oid)
  })

  test('fields that no tag can have are refused', async (context) => {
    const { repo } = await demo(context)
    const { oid: object } = await repo.storeBlob('x')
    const valid = { object, name: 'v1', tagger, message: 'm\n' }
    const wrong = [
      { name: '' },
      { name: 'a b' },
      { name: 'a..b' },
      { object: 'x' },
      { message: '\0' },
      { kind: 'file' }
    ]
    for (const fields of [...wrong, { tagger: { ...tagger, name: '' } }, { tagger: { ...tagger, zone: 'UTC' } }]) {
      const given = { ...valid, ...fields } as typeof valid
      await assert.rejects(repo.storeTag(given), { code: 'invalid_argument' }, JSON.stringify(fields))
    }
    await assert.rejects(repo.storeTag({ ...valid, kind: 'commit' }), { reason: 'wrong_kind' })
  })
})

for (const format of ['sha1', 'sha256'] as const) {
  test(`${format}: tags are Git's, byte for byte`, async (context) => {
    const repo = atEnd(context, await testServer())
      .client({ transport: 'grpc' })
      .repository('demo')
    await repo.createRepository({ objectFormat: format })
    const git = new GitRepository(context, format)
    const object = git.store('blob', Buffer.from('x'))
    await repo.storeBlob('x')
    for (const message of ['One\n', '', 'Grüße, ohne Ende', '\n\nx\n\n']) {
      const name = `v/${message.length}`
      const { oid } = await repo.storeTag({ object, name, tagger, message })
      const { content } = await repo.getObject(oid)
      // It refuses what is not as `git tag` makes it.
      assert.equal(git.run(['mktag'], content).trim(), oid)
      assert.deepEqual((await repo.getTag(oid)).tag.raw.length, 0)
    }
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
    git.run([...identity, 'tag', '-a', '-m', 'Made by Git', 'v1', object])
    const made = git.bytes(['cat-file', 'tag', 'v1'])
    const { oid } = await repo.storeObject({ kind: 'tag', content: made })
    const { tag } = await repo.getTag(oid)
    const { object: of, kind, name, message, tagger: by } = tag
    assert.deepEqual(
      [of, kind, name, message, by?.name, tag.raw.length],
      [object, 'blob', 'v1', 'Made by Git\n', 'Ada', 0]
    )
    assert.equal((await repo.storeTag({ object, name, tagger: by ?? tagger, message })).oid, oid)

    const signature = '-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n'
    const signed = Buffer.concat([made, Buffer.from(signature)])
    const { tag: read } = await repo.getTag((await repo.storeObject({ kind: 'tag', content: signed })).oid)
    assert.deepEqual([read.message, Buffer.from(read.raw)], [`Made by Git\n${signature}`, signed])
    const early = Buffer.from(`object ${object}\ntype blob\ntag v0\n\nNo tagger\n`)
    const stored = await repo.storeObject({ kind: 'tag', content: early, check: 'lenient' })
    assert.deepEqual(
      stored.warnings.map(({ id }) => id),
      ['missingTaggerEntry']
    )
    const { tag: old } = await repo.getTag(stored.oid)
    assert.deepEqual([old.tagger, old.message, old.raw.length], [undefined, 'No tagger\n', 0])
  })
}
