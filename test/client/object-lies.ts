/** Wrong answers about objects and tags, for the test of lying servers. */
import { hashObject } from '../../src/git/oid.ts'
import { encodeTag } from '../../src/git/tag.ts'
import type { Repository } from '../../src/index.ts'
import type { Answers } from '../support/lying-server.ts'

/** A wrong answer, the call that gets it, and the code of the call's error. */
export interface Lie {
  name: string
  answers: Answers
  call(repo: Repository): Promise<unknown>
  code: 'data_loss' | 'internal'
}

const content = Buffer.from('hello\n')
const oid = 'ce013625030ba8dba906f756967f9e9ca394464a'
const other = Buffer.from('other\n')
const otherOid = hashObject('blob', other, 'sha1')
const tagger = { name: 'A', email: 'a@example.org', timeSeconds: 1, zone: '+0000' }
const fields = { object: oid, kind: 'blob' as const, name: 'v1', tagger, message: 'm\n' }
const tag = { ...fields, oid: hashObject('tag', encodeTag(fields), 'sha1') }
const raw = encodeTag({ ...fields, message: 'forged\n' })

async function inBatch(repo: Repository): Promise<never> {
  const [result] = await repo.batch([{ storeObject: { kind: 'tree', content: '' } }])
  throw result.error
}

export const objectLies: readonly Lie[] = [
  {
    name: 'an object with other bytes',
    answers: { GetObject: { oid, kind: 'blob', size: 6, content: other } },
    call: (repo) => repo.getObject(oid),
    code: 'data_loss'
  },
  {
    name: 'an object as one of another kind',
    answers: { GetObject: { oid, kind: 'tree', size: 6, content } },
    call: (repo) => repo.getObject(oid),
    code: 'data_loss'
  },
  {
    name: 'an object of no kind',
    answers: { GetObject: { oid, size: 6, content } },
    call: (repo) => repo.getObject(oid),
    code: 'internal'
  },
  {
    name: 'another object, sound in itself',
    answers: { GetObject: { oid: otherOid, kind: 'blob', size: 6, content: other } },
    call: (repo) => repo.getObject(oid),
    code: 'data_loss'
  },
  {
    name: 'an object of another size',
    answers: { GetObject: { oid, kind: 'blob', size: 7, content } },
    call: (repo) => repo.getObject(oid),
    code: 'internal'
  },
  {
    name: 'another oid for a stored object',
    answers: { StoreObject: { oid, size: 0 } },
    call: (repo) => repo.storeObject({ kind: 'tree', content: '' }),
    code: 'data_loss'
  },
  {
    name: 'another oid for an object stored in a batch',
    answers: { BatchOperations: { results: [{ storeObject: { oid, size: 0 } }] } },
    call: inBatch,
    code: 'data_loss'
  },
  {
    name: 'another oid for a stored tag',
    answers: { StoreTag: { oid: tag.oid } },
    call: (repo) => repo.storeTag({ ...fields, message: 'n\n' }),
    code: 'data_loss'
  },
  {
    name: 'a stored tag of another kind than asked for',
    answers: { StoreTag: { oid: tag.oid } },
    call: (repo) => repo.storeTag({ ...fields, kind: 'tag' }),
    code: 'data_loss'
  },
  {
    name: 'a tag with another message',
    answers: { GetTag: { tag: { ...tag, message: 'forged\n' } } },
    call: (repo) => repo.getTag('v1'),
    code: 'data_loss'
  },
  {
    name: 'a tag of other bytes',
    answers: { GetTag: { tag: { ...tag, raw } } },
    call: (repo) => repo.getTag('v1'),
    code: 'data_loss'
  },
  {
    name: 'another tag, sound in itself',
    answers: { GetTag: { tag } },
    call: (repo) => repo.getTag(oid),
    code: 'data_loss'
  },
  {
    name: 'no tag',
    answers: { GetTag: {} },
    call: (repo) => repo.getTag('v1'),
    code: 'internal'
  }
]
