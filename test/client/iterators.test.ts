/** Iterators over listings: their pages grow, unless the caller gives a size. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeTree } from '../../src/client/whole-tree.ts'
import type { CallInterceptor } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

test('each page is four times as large as the one before; the first one, and those of a given size, are not', async (context) => {
  const fixture = atEnd(context, await testServer())
  const sizes: (number | undefined)[] = []
  const interceptor: CallInterceptor = (call, next) => {
    if (call.method === 'listRefs') sizes.push(call.message.pageSize)
    return next(call)
  }
  const client = fixture.client({ interceptors: [interceptor] })
  const repo = client.repository('demo')
  await repo.createRepository()
  const { oid } = await repo.commitFiles({
    branch: 'main',
    changes: { a: 'a' },
    message: 'm',
    author: { name: 'A', email: 'a@b' }
  })
  const names = Array.from({ length: 700 }, (_, index) => `refs/tags/${String(index).padStart(4, '0')}`)
  await repo.updateRefs(names.map((name) => ({ name, newOid: oid, expectedOid: null })))
  const namesOf = async (pageSize?: number) => {
    sizes.length = 0
    const found: string[] = []
    const input = { prefix: 'refs/tags/', ...(pageSize === undefined ? {} : { pageSize }) }
    for await (const { name } of repo.refs(input)) found.push(name)
    assert.deepEqual(found, names)
    return sizes
  }
  assert.deepEqual(await namesOf(), [undefined, 400, 1600])
  assert.deepEqual(await namesOf(300), [300, 300, 300])
  assert.deepEqual(await namesOf(20_000), [20_000])
})

test('a listing of more entries than its bound ends there, and not at the deadline', async () => {
  let pages = 0
  const entry = { path: 'a', rawPath: new Uint8Array(0), mode: '100644' as const, rawMode: '', oid: 'a'.repeat(40) }
  const fetchPage = async () => {
    pages++
    return { oid: 'b'.repeat(40), entries: Array(10).fill(entry), nextPageToken: 'more' }
  }
  await assert.rejects(wholeTree(fetchPage, 95), {
    code: 'resource_exhausted',
    retryable: false,
    message: /than 95 entries/
  })
  assert.equal(pages, 10)
})
