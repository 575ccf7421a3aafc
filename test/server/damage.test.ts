/** Objects that are damaged in the store: found by the server where it reads them, never passed on as sound. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { StoredObject } from '../../server-fixture/store/store.ts'
import { atEnd, testServer } from '../support/server.ts'

/** Reads come back with one bit turned. */
class DamagedStore extends MemoryStore {
  damaged: string | undefined

  override async readObjects(repository: string, oids: readonly string[], maxBytes: number) {
    const objects = await super.readObjects(repository, oids, maxBytes)
    return objects.map((object) => (object && object.kind === this.damaged ? turned(object) : object))
  }

  override async openObject(repository: string, oid: string) {
    const object = await super.openObject(repository, oid)
    if (object?.kind !== this.damaged) return object
    const read = async function* (start: number, end: number) {
      for await (const chunk of object?.read(start, end) ?? []) yield turnedBytes(chunk)
    }
    return object && { kind: object.kind, size: object.size, read, close: () => object.close() }
  }
}

function turned(object: StoredObject): StoredObject {
  return { ...object, content: turnedBytes(object.content ?? new Uint8Array(0)) }
}

/** In the last byte, where a tree still parses and a commit still has its head. */
function turnedBytes(bytes: Uint8Array): Uint8Array {
  const content = new Uint8Array(bytes)
  content[content.length - 1] = (content.at(-1) ?? 0) ^ 1
  return content
}

test('a damaged tree, commit or blob is reported as data_loss', async (context) => {
  const store = new DamagedStore()
  const fixture = atEnd(context, await testServer({ store }))
  // Without checks of its own, so that it is the server that finds out.
  const repo = fixture.client({ verify: false }).repository('demo')
  await repo.createRepository()
  const author = { name: 'A', email: 'a@b' }
  // Objects that the server has neither read nor made a moment ago: it keeps those.
  const blob = await repo.storeBlob('x\n')
  const tree = await repo.storeTree([{ path: 'a', mode: '100644', oid: blob.oid }])
  const { oid } = await repo.storeCommit({ tree: tree.oid, parents: [], message: 'm\n', author })
  await repo.updateRefs([{ name: 'refs/heads/main', expectedOid: '0'.repeat(40), newOid: oid }])
  const damage = { code: 'data_loss', reason: 'integrity' }
  store.damaged = 'tree'
  await assert.rejects(repo.getTree({ revision: tree.oid }), damage)
  await assert.rejects(repo.getBlob({ revision: 'main', path: 'a' }), damage)
  store.damaged = 'commit'
  await assert.rejects(repo.getCommit(oid), damage)
  await assert.rejects(repo.commitFiles({ branch: 'main', changes: { b: 'x' }, message: 'm\n', author }), damage)
  store.damaged = 'blob'
  const url = `${fixture.server.http}/v1/repositories/demo/blobs/587be6b4c3f93f93c489c0111bba5596147a26cb`
  assert.equal(((await (await fetch(url)).json()) as { code: string }).code, 'data_loss')
  const large = await fetch(`${fixture.server.http}/v1/repositories/demo/uploads`, {
    method: 'PUT',
    body: 'x'.repeat(2e6)
  })
  const { oid: largeOid } = (await large.json()) as { oid: string }
  const read = await fetch(`${fixture.server.http}/v1/repositories/demo/blobs/${largeOid}`)
  assert.equal(read.status, 200)
  await assert.rejects(read.arrayBuffer(), 'its last bytes never come')
  await assert.rejects(fixture.client().getBlob('demo', { revision: 'main', path: 'a' }), damage)
  store.damaged = undefined
  assert.equal((await repo.getBlob({ revision: 'main', path: 'a' })).size, 2)
})
