/** What the service refuses in a write before its store is asked, and what callers are told of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BranchQueues, type WaitingCommit } from '../../server-fixture/service/branch-queue.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { Mode } from '../../src/git/mode.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { blobOid, put, setUp, zero } from './commit-chain.ts'

const absent = 'ab'.repeat(20)
const move = (name: string, newOid: string) => ({ name, expectedOid: zero, newOid })

test('a target that is missing is the error of its own operation, in an atomic batch too', async (context) => {
  const { call, commit, watch } = await setUp(context, 'memory')
  const { oid } = await commit([put('a')])
  watch.updates = []
  const operations = [move('refs/tags/a', oid), move('refs/tags/b', absent)].map((update) => {
    return { updateRefs: { repository: '', updates: [update] } }
  })
  const answer = (await call('BatchOperations', { operations, atomic: true })) as Messages['BatchOperationsResponse']
  const reasons = answer.results.map(({ error }) => error?.detail?.reason)
  assert.deepEqual([reasons, watch.updates], [['batch_aborted', 'missing_object'], []])
})

test('a ref is named once in a call', async (context) => {
  const { call, commit, watch } = await setUp(context, 'memory')
  const { oid } = await commit([put('a')])
  watch.updates = []
  const updates = [move('refs/tags/a', oid), { name: 'refs/tags/a', expectedOid: oid, newOid: zero }]
  await assert.rejects(call('UpdateRefs', { updates }), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.details.violations?.[0]?.field], ['invalid_argument', 'updates[1].name'])
    return true
  })
  assert.deepEqual(watch.updates, [])
})

test('the base tree of a commit is a tree that is there', async (context) => {
  const { commit } = await setUp(context, 'memory')
  const { oid } = await commit([put('a')])
  const on = (baseTree: string) => commit([put('b')], { expectedHead: oid, baseTree })
  await assert.rejects(on(absent), { code: 'failed_precondition', reason: 'missing_object' })
  await assert.rejects(on(blobOid('a')), { code: 'failed_precondition', reason: 'wrong_kind' })
})

test('contents in a commit are bounded by maxInlineBytes, and are those of files', async (context) => {
  const { call, commitRequest, head, service } = await setUp(context, 'memory')
  const { maxInlineBytes } = service.limits
  const commit = (length: number, mode: '' | Mode = '', guarded = false) => {
    const content = Buffer.alloc(length, 'x')
    const change = guarded ? { path: 'a', mode, guarded: { expectedOid: zero, content } } : { path: 'a', mode, content }
    return call('CommitFiles', commitRequest([change]))
  }
  for (const guarded of [false, true]) {
    const limit = { limit: 'max_inline_bytes', maximum: maxInlineBytes, actual: maxInlineBytes + 1 }
    await assert.rejects(commit(maxInlineBytes + 1, '', guarded), { code: 'resource_exhausted', details: { limit } })
  }
  for (const mode of ['040000', '160000'] as const) await assert.rejects(commit(1, mode), { code: 'invalid_argument' })
  assert.equal(await head(), zero)
  await commit(maxInlineBytes, '', true)
})

test('a refusal that tells of a head of its chain is no answer where that head never came to be', async (context) => {
  const { commit, watch, head } = await setUp(context, 'memory')
  const failure = new BlobwireError({ reason: 'storage', message: 'the disk is gone' })
  watch.beforeUpdate = () => Promise.reject(failure)
  // The second commit would find the first one as its head.
  const calls = [commit([put('a')]), commit([put('b')], { expectedHead: absent })]
  await Promise.all(calls.map((call) => assert.rejects(call, { reason: 'storage' })))
  assert.equal(await head(), zero)
})

test('a chain has at most 1,000 commits, and at most 64 MiB of contents unless one commit has more', async () => {
  const megabytes = (count: number) => ({ changes: [{ content: new Uint8Array(count * 2 ** 20) }] })
  const lengthsOf = async (requests: readonly object[]) => {
    const queues = new BranchQueues()
    const lengths: number[] = []
    const makeChain = async (commits: readonly WaitingCommit[]) => void lengths.push(commits.length)
    for (const request of requests) {
      queues.add({ repository: 'demo', ref: 'main' }, { request } as unknown as WaitingCommit, makeChain)
    }
    while (queues.size > 0) await new Promise(setImmediate)
    return lengths
  }
  assert.deepEqual(await lengthsOf(Array.from({ length: 2001 }, () => ({ changes: [] }))), [1000, 1000, 1])
  const [large, half] = [megabytes(65), megabytes(32)]
  assert.deepEqual(await lengthsOf([large, half, half, half]), [1, 2, 1])
})
