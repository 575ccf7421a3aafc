/** Fields that servers name, as callers know them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inCallersWords, inOperation } from '../../src/call/caller-fields.ts'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'

const fieldOf = ({ details }: BlobwireError) => details.violations?.map(({ field }) => field).join()

test('changes and guards by path, whatever the request calls them', () => {
  const rawPath = Uint8Array.from([0x61, 0xff])
  const changes = [{ path: 'a/b.txt' }, { path: 'c', guard: '' }, { path: '', rawPath }]
  for (const [field, expected] of [
    ['changes[0].mode', 'changes["a/b.txt"].mode'],
    ['changes[0].guarded.oid', 'changes["a/b.txt"].oid'],
    ['changes[0].path', 'changes["a/b.txt"]'],
    ['changes[1].guard', 'guards["c"]'],
    ['changes[2].rawPath', /^changes\[[^\]]*a[^\]]*\]$/],
    ['changes[0].guarded.rawMoveFrom', 'changes["a/b.txt"].moveFrom'],
    ['changes[7].mode', 'changes[7].mode'],
    ['author.name', 'author.name']
  ] as const) {
    const found = inCallersWords(invalidArgument(field, 'must be …'), { changes })
    const name = fieldOf(found) ?? ''
    if (typeof expected === 'string') assert.equal(name, expected)
    else assert.match(name, expected)
    assert.equal(found.message, `${name}: must be …`)
  }
  const ofTree = inCallersWords(invalidArgument('entries[0].oid', 'x'), { changes }, 'entries')
  assert.equal(fieldOf(ofTree), 'changes["a/b.txt"].oid')
  assert.equal(fieldOf(inCallersWords(invalidArgument('entries[3].rawPath', 'x'), {})), 'entries[3].path')
  assert.equal(fieldOf(inCallersWords(invalidArgument('updates[0].rawName', 'x'), {})), 'updates[0].name')
})

test('operations of a batch by place and name', () => {
  const field = inOperation(invalidArgument('entries[3].oid', 'x'), 2, 'storeTree')
  assert.deepEqual([fieldOf(field), field.message], ['operations[2].storeTree.entries[3].oid', `${fieldOf(field)}: x`])
  const missing = inOperation(new BlobwireError({ reason: 'object', message: 'not found' }), 0, 'getBlob')
  assert.equal(missing.message, 'operations[0].getBlob: not found')
})
