/** Calls that are loaded with the first of them take their arguments over when they are made, as the others do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type * as Blobwire from '../../src/index.ts'
import { importWeb } from '../support/web-graph.ts'

test('the arguments of the first call that is not of a blob are the caller’s again at once', async () => {
  const { createClient } = await importWeb<typeof Blobwire>('index.ts')
  const messages: unknown[] = []
  const client = createClient({
    endpoint: 'http://127.0.0.1:1',
    interceptors: [
      async (call) => {
        messages.push(call.message)
        return {} as never
      }
    ]
  })
  const repo = client.repository('notes')
  const oid = 'a'.repeat(40)
  const path = new Uint8Array([0xff])
  const entries: Blobwire.NewTreeEntry[] = [{ path, mode: '100644', oid }]
  const author = { name: 'Ada', email: 'ada@example.com' }
  const changes = new Map<string, Blobwire.Change>([['a.txt', { content: 'one' }]])
  const revision = { base: 'main', head: 'topic' }
  const made = [
    repo.storeTree(entries),
    repo.commitFiles({ branch: 'main', message: 'one', author, changes }),
    repo.compare(revision),
    repo.changes(revision).next()
  ]
  path[0] = 0
  entries.push({ path: 'b', mode: '100644', oid })
  author.name = 'Grace'
  changes.clear()
  revision.head = 'other'
  await Promise.allSettled(made)
  const [tree, commit, ...comparisons] = messages as Record<string, unknown>[]
  assert.deepEqual(tree, { entries: [{ path: new Uint8Array([0xff]), mode: '100644', oid }] })
  assert.deepEqual(commit?.['author'], { name: 'Ada', email: 'ada@example.com' })
  assert.deepEqual(commit?.['changes'], new Map([['a.txt', { content: 'one' }]]))
  assert.deepEqual(
    comparisons.map(({ head }) => head),
    ['topic', 'topic']
  )
  await client.close()
})

test('wrong arguments of such a call reject with the words of the others', async () => {
  const { createClient } = await importWeb<typeof Blobwire>('index.ts')
  const client = createClient('http://127.0.0.1:1')
  const wrong = { revison: 'main' } as Blobwire.GetTreeInput
  await assert.rejects(client.repository('notes').getTree(wrong), /revison.*unknown key; did you mean revision\?/)
  await client.close()
})
