/** The example `mirror`: a history with every oddity, over every transport, judged by git. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { mirror } from '../../cli/mirror/mirror.ts'
import { openSource } from '../../cli/mirror/source.ts'
import { verify } from '../../cli/mirror/verify.ts'
import type { Client, Interceptor, Method } from '../../src/index.ts'
import { oddTrees } from '../git-judge/odd-trees.ts'
import { GitRepository } from '../support/git.ts'
import { treeBytes } from '../support/history/directory.ts'
import { longHistory } from '../support/history/long-history.ts'
import { type History, ObjectPool } from '../support/history/objects.ts'
import { writeHistory } from '../support/history/write-history.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

/** Counts the calls of each method. */
function counter(): { interceptor: Interceptor; counts: Partial<Record<Method, number>> } {
  const counts: Partial<Record<Method, number>> = {}
  return {
    counts,
    interceptor(call, next) {
      counts[call.method] = (counts[call.method] ?? 0) + 1
      return next(call)
    }
  }
}

/** One more ref, to a tree of many odd ones. */
function withOddTrees(history: History): History {
  const { objects, trees } = oddTrees(1, 60, history.format)
  const pool = new ObjectPool(history.format)
  for (const { kind, content } of [...history.objects, ...objects]) pool.add(kind, content)
  const names = trees.map((oid, index) => [`tree${100 + index}`, '40000', oid] as const)
  const refs = new Map(history.refs).set('refs/trees/odd', pool.add('tree', treeBytes(names)))
  return { ...history, objects: pool.objects, refs }
}

const transports = ['json', 'msgpack', 'grpc'] as const

let history: History
let source: GitRepository
let served: TestServer

before(async (context) => {
  history = withOddTrees(longHistory({ commits: 100 }))
  source = new GitRepository(context as never, 'sha1')
  await writeHistory(source, history)
  served = atEnd(context as never, await testServer({ store: 'git' }))
})

/** Every object that a ref reaches. */
const reachable = () => source.run(['--no-replace-objects', 'rev-list', '--objects', '--all']).trim().split('\n').length

for (const transport of transports) {
  test(`a whole repository over ${transport}: refs line for line, fsck no worse, and the second run sends nothing`, async () => {
    const repo = (client: Client) => client.repository(`copy-${transport}`)
    const first = repo(served.client({ transport }))
    const done = await mirror({ source: source.directory, repo: first })
    assert.equal(done.files, reachable())
    assert.equal(done.refs, history.refs.size)
    assert.deepEqual(done.leftOut, [])
    const storeDirectory = join(served.data, `copy-${transport}.git`)
    assert.deepEqual(await verify({ ...done, repo: first, storeDirectory }), [])
    const { interceptor, counts } = counter()
    const second = repo(served.client({ transport, interceptors: [interceptor] }))
    const again = await mirror({ source: source.directory, repo: second })
    assert.equal(again.totalFiles + again.totalRefs, 0)
    assert.deepEqual(counts, { getRepository: 1, listRefs: 1 })
  })
}

test('the comparison finds other refs, another HEAD, and findings of git fsck', async (context) => {
  const here = new GitRepository(context, 'sha1')
  const copy = new GitRepository(context, 'sha1')
  for (const git of [here, copy]) await writeHistory(git, longHistory({ commits: 3 }))
  const empty = atEnd(context, await testServer())
  const repo = empty.client().repository('copy')
  await repo.createRepository({ defaultBranch: 'other' })
  const { oid: blob } = await repo.storeBlob('not in the source\n')
  await repo.updateRefs([{ name: 'refs/tags/extra', expectedOid: null, newOid: blob }])
  copy.run(['update-ref', '-d', 'refs/heads/empty'])
  const broken = copy.store('tree', Buffer.concat([Buffer.from('100644 gone\0'), Buffer.alloc(20, 1)]))
  copy.run(['update-ref', 'refs/trees/broken', broken])
  const opened = await openSource(here.directory)
  const found = await verify({ source: opened, repo, leftOut: [], storeDirectory: copy.directory })
  const oidOf = (name: string) => here.run(['rev-parse', name]).trim()
  assert.ok(found.includes(`only in the source: ${oidOf('refs/heads/main')} refs/heads/main`))
  assert.ok(found.includes(`only on the server: ${blob} refs/tags/extra`))
  assert.ok(found.includes('HEAD is refs/heads/main in the source, and refs/heads/other on the server'))
  assert.ok(found.includes(`only in the source: ${oidOf('refs/heads/empty')} commit\trefs/heads/empty`))
  assert.ok(found.includes(`git fsck, only on the server: missing blob ${'01'.repeat(20)}`))
})
