/** A damaged or lying server: no wrong answer is ever delivered as right. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { encodeCommit } from '../../src/git/commit.ts'
import { hashObject } from '../../src/git/oid.ts'
import { encodeItems, encodeTree, modesOf } from '../../src/git/tree.ts'
import type { BlobwireError } from '../../src/index.ts'
import { type LyingServer, startLyingServer } from '../support/lying-server.ts'
import { type Lie, objectLies } from './object-lies.ts'

const hello = new TextEncoder().encode('hello\n')
const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'
const otherOid = hashObject('blob', new TextEncoder().encode('other\n'), 'sha1')
const signature = { name: 'A', email: 'a@example.org', timeSeconds: 1, zone: '+0000' }
const commit = { oid: otherOid, tree: helloOid, author: signature, committer: signature, message: 'x' }
const forged = { tree: otherOid, parents: [], author: signature, committer: signature, message: 'x' }
const forgedOid = hashObject('commit', encodeCommit(forged), 'sha1')
const twoFiles = ['a', 'b'].map((name) => ({ name: Buffer.from(name), mode: '100644', oid: helloOid }))
const twoFilesOid = hashObject('tree', encodeTree(twoFiles, 'sha1'), 'sha1')
const nameInHex = Buffer.from('100644 b\0').toString('hex')
const longOid = `${helloOid}${nameInHex}${helloOid}`
const longMode = `100644 a\0${Buffer.from(helloOid, 'hex').toString('latin1')}100644`
const oldMode = { name: Buffer.from('a'), ...modesOf('100664'), oid: helloOid }
const oldModeOid = hashObject('tree', encodeItems([oldMode], 'sha1'), 'sha1')
const treeOid = hashObject(
  'tree',
  encodeTree([{ name: Buffer.from('a'), mode: '100644', oid: helloOid }], 'sha1'),
  'sha1'
)
const { timeSeconds: _, ...undated } = signature
const commitOid = (fields: Partial<Parameters<typeof encodeCommit>[0]>) =>
  hashObject('commit', encodeCommit({ ...forged, tree: treeOid, ...fields }), 'sha1')
const later = { ...signature, timeSeconds: 2 }
const laterOid = commitOid({ author: later, committer: later })
const onOtherOid = commitOid({ parents: [otherOid] })
const mergeOid = commitOid({ parents: [otherOid, helloOid] })
const known = { GetRepository: { repository: 'demo', objectFormat: 'sha1', defaultBranch: 'refs/heads/main' } }

const lies: Lie[] = [
  {
    name: 'a ref that points to what is no oid',
    answers: { ListRefs: { refs: [{ name: 'refs/heads/main', oid: `${helloOid.slice(0, 39)}z` }] } },
    call: (repo) => repo.listRefs({ prefix: 'refs/heads/' }),
    code: 'internal'
  },
  {
    name: 'a ref that was not asked for',
    answers: { ListRefs: { refs: [{ name: 'refs/tags/v1', oid: helloOid }] } },
    call: (repo) => repo.listRefs({ prefix: 'refs/heads/' }),
    code: 'internal'
  },
  {
    name: 'other bytes for an oid',
    answers: { GetBlob: { oid: helloOid, size: 6, content: Buffer.from('hellO\n') } },
    call: (repo) => repo.getBlob(helloOid),
    code: 'data_loss'
  },
  {
    name: 'another blob, sound in itself',
    answers: { GetBlob: { oid: otherOid, size: 6, content: Buffer.from('other\n') } },
    call: (repo) => repo.getBlob(helloOid),
    code: 'data_loss'
  },
  {
    name: 'a size that is not that of the content',
    answers: { GetBlob: { oid: helloOid, size: 7, content: hello } },
    call: (repo) => repo.getBlob(helloOid),
    code: 'internal'
  },
  {
    name: 'an empty answer that could read as success',
    answers: {},
    call: (repo) => repo.storeBlob(''),
    code: 'internal'
  },
  {
    name: 'another oid for what was stored',
    answers: { StoreBlob: { oid: otherOid, size: 6 } },
    call: (repo) => repo.storeBlob(hello),
    code: 'data_loss'
  },
  {
    name: 'a tree with other entries than its oid says',
    answers: { GetTree: { oid: helloOid, entries: [{ path: 'a', mode: '100644', oid: helloOid }] } },
    call: (repo) => repo.getTree(),
    code: 'data_loss'
  },
  {
    name: 'a mode that is not that of its text in the tree',
    answers: {
      GetTree: { oid: oldModeOid, entries: [{ path: 'a', mode: '100755', oid: helloOid, rawMode: '100664' }] }
    },
    call: (repo) => repo.getTree(),
    code: 'data_loss'
  },
  {
    name: 'a subtree whose entries are left out',
    answers: { GetTree: { oid: helloOid, entries: [{ path: 'a/b', mode: '100644', oid: helloOid }] } },
    call: (repo) => repo.getTree({ recursive: true }),
    code: 'data_loss'
  },
  {
    name: 'an oid that is too long, so that it hides the next entry',
    answers: { GetTree: { oid: twoFilesOid, entries: [{ path: 'a', mode: '100644', oid: longOid }] } },
    call: (repo) => repo.getTree(),
    code: 'data_loss'
  },
  {
    name: 'a mode that holds an entry of its own',
    answers: { GetTree: { oid: twoFilesOid, entries: [{ path: 'b', mode: longMode, oid: helloOid }] } },
    call: (repo) => repo.getTree(),
    code: 'data_loss'
  },
  {
    name: 'a commit with another message than its oid says',
    answers: { GetCommit: { commit } },
    call: (repo) => repo.getCommit('main'),
    code: 'data_loss'
  },
  {
    name: 'another commit, sound in itself',
    answers: { GetCommit: { commit: { ...forged, oid: forgedOid } } },
    call: (repo) => repo.getCommit(helloOid),
    code: 'data_loss'
  },
  {
    name: 'another repository',
    answers: { GetRepository: { ...known.GetRepository, repository: 'other' } },
    call: (repo) => repo.getRepository(),
    code: 'internal'
  },
  {
    name: 'another oid for a stored tree',
    answers: { StoreTree: { oid: otherOid } },
    call: (repo) => repo.storeTree([{ path: 'a', mode: '100644', oid: helloOid }]),
    code: 'data_loss'
  },
  {
    name: 'a subtree with other entries than its oid says',
    answers: {
      GetTree: {
        oid: hashObject('tree', encodeTree([{ name: Buffer.from('d'), mode: '040000', oid: treeOid }], 'sha1'), 'sha1'),
        entries: [
          { path: 'd', mode: '040000', oid: treeOid },
          { path: 'd/a', mode: '100755', oid: helloOid }
        ]
      }
    },
    call: (repo) => repo.getTree({ recursive: true }),
    code: 'data_loss'
  },
  {
    name: 'no commit',
    answers: { GetCommit: {} },
    call: (repo) => repo.getCommit('main'),
    code: 'internal'
  },
  {
    name: 'a log with a forged commit',
    answers: { ListCommits: { commits: [commit] } },
    call: (repo) => repo.listCommits(),
    code: 'data_loss'
  },
  {
    name: 'another oid for a stored commit',
    answers: { StoreCommit: { oid: otherOid } },
    call: (repo) => repo.storeCommit({ tree: helloOid, author: signature, message: 'x' }),
    code: 'data_loss'
  },
  {
    name: 'a new commit that is not the one asked for',
    answers: { CommitFiles: { oid: otherOid, tree: helloOid, parents: [], ref: 'refs/heads/main' } },
    call: (repo) => repo.commitFiles({ branch: 'main', changes: { a: 'a' }, message: 'x', author: signature }),
    code: 'data_loss'
  },
  {
    name: 'a new commit that is sound in itself, with other files in it',
    answers: { CommitFiles: { oid: forgedOid, tree: otherOid, parents: [], ref: 'refs/heads/main' } },
    call: (repo) => repo.commitFiles({ branch: 'main', changes: { a: 'a' }, message: 'x', author: signature }),
    code: 'data_loss'
  },
  {
    name: 'a new commit of another date than the one asked for',
    answers: { CommitFiles: { oid: laterOid, tree: treeOid, parents: [], ref: 'refs/heads/main', timeSeconds: 2 } },
    call: (repo) => repo.commitFiles({ branch: 'main', changes: { a: hello }, message: 'x', author: signature }),
    code: 'data_loss'
  },
  {
    name: 'a new commit of another date than the answer tells',
    answers: { CommitFiles: { oid: laterOid, tree: treeOid, parents: [], ref: 'refs/heads/main', timeSeconds: 3 } },
    call: (repo) => repo.commitFiles({ branch: 'main', changes: { a: hello }, message: 'x', author: undated }),
    code: 'data_loss'
  },
  {
    name: 'a new commit on another head than the expected one',
    answers: { CommitFiles: { oid: onOtherOid, tree: treeOid, parents: [otherOid], ref: 'refs/heads/main' } },
    call: (repo) => {
      const commit = { branch: 'main', changes: { a: hello }, message: 'x', author: signature }
      return repo.commitFiles({ ...commit, expectedHead: helloOid })
    },
    code: 'data_loss'
  },
  {
    name: 'a new commit on a head where none was to be',
    answers: {
      ...known,
      CommitFiles: { oid: onOtherOid, tree: treeOid, parents: [otherOid], ref: 'refs/heads/main' }
    },
    call: (repo) => {
      const commit = { branch: 'main', changes: { a: hello }, message: 'x', author: signature }
      return repo.commitFiles({ ...commit, expectedHead: null })
    },
    code: 'data_loss'
  },
  {
    name: 'a new commit that is a merge',
    answers: { CommitFiles: { oid: mergeOid, tree: treeOid, parents: [otherOid, helloOid], ref: 'refs/heads/main' } },
    call: (repo) => repo.commitFiles({ branch: 'main', changes: { a: hello }, message: 'x', author: signature }),
    code: 'data_loss'
  },
  {
    name: 'missing oids that nobody asked for',
    answers: { FindMissing: { missing: [otherOid] } },
    call: (repo) => repo.findMissing([helloOid]),
    code: 'internal'
  },
  {
    name: 'fewer results than operations',
    answers: { BatchOperations: { results: [] } },
    call: (repo) => repo.batch([{ storeBlob: { content: hello } }]),
    code: 'internal'
  },
  {
    name: 'more results than operations',
    answers: { BatchOperations: { results: [{ storeBlob: { oid: helloOid, size: 6 } }, { getRepository: {} }] } },
    call: (repo) => repo.batch([{ storeBlob: { content: hello } }]),
    code: 'internal'
  },
  {
    name: 'the result of another operation',
    answers: { BatchOperations: { results: [{ getRepository: {} }] } },
    call: async (repo) => {
      const [result] = await repo.batch([{ storeBlob: { content: hello } }])
      throw result.error
    },
    code: 'internal'
  },
  {
    name: 'a wrong oid in a batch',
    answers: { BatchOperations: { results: [{ storeBlob: { oid: otherOid, size: 6 } }] } },
    call: async (repo) => {
      const [result] = await repo.batch([{ storeBlob: { content: hello } }])
      throw result.error
    },
    code: 'data_loss'
  }
]

describe('a lying server is found out', () => {
  let server: LyingServer
  before(async () => {
    server = await startLyingServer()
  })
  after(() => server[Symbol.asyncDispose]())

  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    test(transport, async (context) => {
      const repo = server.client(transport).repository('demo')
      for (const { name, answers, call, code } of [...lies, ...objectLies]) {
        await context.test(name, async () => {
          server.answers = { ...known, ...answers }
          await assert.rejects(call(repo), (error: BlobwireError) => {
            assert.equal(error.name, 'BlobwireError', String(error.stack))
            assert.equal(error.code, code, error.message)
            assert.equal(error.reason, code === 'data_loss' ? 'integrity' : 'malformed_response')
            assert.deepEqual([error.sent, error.retryable], ['processed', false])
            return true
          })
        })
      }
    })
  }
})
