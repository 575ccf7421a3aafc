/** Objects of every kind by their bytes, and annotated tags, with answers that must be the same over every transport. */
import assert from 'node:assert/strict'
import { hashObject } from '../../src/git/oid.ts'
import type { ObjectFormat, ObjectKind, Repository } from '../../src/index.ts'
import { decodeHex } from '../../src/platform/bytes.ts'

const tagger = { name: 'Ada Lovelace', email: 'ada@example.org', timeSeconds: 1_700_000_000, zone: '+0100' }
const encoder = new TextEncoder()

/** Copies a commit with its tree by their bytes, and tags it. The tag's ref is gone when it resolves. */
export async function everyObject(repo: Repository, { format, commit }: { format: ObjectFormat; commit: string }) {
  const stored = async (kind: ObjectKind, content: Uint8Array) => {
    const oid = hashObject(kind, content, format)
    assert.deepEqual(await repo.storeObject({ kind, content }), { oid, size: content.length, warnings: [] })
    assert.deepEqual(await repo.getObject(oid), { oid, kind, size: content.length, content })
    return oid
  }
  const blob = await stored('blob', encoder.encode('as it is\n'))
  const tree = await stored('tree', Uint8Array.of(...encoder.encode('100644 file\0'), ...decodeHex(blob)))
  const lines = `author A <a@b> 1 +0000\ncommitter A <a@b> 2 +0000\n`
  const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n'
  const signed = encoder.encode(`tree ${tree}\nparent ${commit}\n${lines}${signature}\nSigned\n`)
  const oid = await stored('commit', signed)
  assert.deepEqual((await repo.getCommit(oid)).commit.raw, signed)
  assert.equal((await repo.getObject({ revision: oid, path: 'file' })).oid, blob)
  assert.equal((await repo.getObject({ revision: `${oid}~1` })).oid, commit)

  const fields = { object: oid, kind: 'commit' as const, name: 'v1', message: 'One\n' }
  const tag = await repo.storeTag({ ...fields, tagger })
  assert.deepEqual(await repo.storeTag({ object: oid, name: 'v1', tagger, message: 'One\n' }), tag)
  assert.deepEqual((await repo.getTag(tag.oid)).tag, { oid: tag.oid, ...fields, tagger, raw: new Uint8Array(0) })
  await repo.updateRefs([{ name: 'refs/tags/v1', expectedOid: null, newOid: tag.oid }])
  assert.equal((await repo.getTag('v1')).tag.oid, tag.oid)
  assert.equal((await repo.getObject({ revision: 'v1' })).kind, 'tag')
  assert.equal((await repo.getCommit('v1')).commit.oid, oid)
  await repo.updateRefs([{ name: 'refs/tags/v1', expectedOid: tag.oid, newOid: null }])
  await assert.rejects(repo.getTag(oid), { code: 'failed_precondition', reason: 'wrong_kind' })

  const absent = 'ab'.repeat(oid.length / 2)
  await assert.rejects(repo.storeTag({ ...fields, object: absent, tagger }), { reason: 'missing_object' })
  const content = encoder.encode(`tree ${absent}\n${lines}\n`)
  await assert.rejects(repo.storeObject({ kind: 'commit', content }), { reason: 'missing_object' })
  const [first, second, third] = await repo.batch([
    { storeObject: { kind: 'blob', content: 'in a batch' } },
    { getObject: { oid: hashObject('blob', encoder.encode('in a batch'), format) } },
    { getTag: { revision: tag.oid } }
  ])
  assert.equal(first.value?.oid, second.value?.oid)
  assert.equal(third.value?.tag.name, 'v1')
}
