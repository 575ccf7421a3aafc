/** Pushes over HTTP by Git itself: what comes is what the API has, on every store, and no commit is lost to a push. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { newDatabase } from '../support/database.ts'
import { atEnd, testServer } from '../support/server.ts'
import { WorkTree } from './git-client.ts'

const author = { name: 'A', email: 'a@example.com' }
const database = [await newDatabase()]

for (const store of ['git', 'memory', 'postgres'] as const) {
  test(`${store}: Git pushes branches, tags and large files; a commit by the API during a push is not lost`, async (context) => {
    /** Called once, when the server is about to move the refs of a push. */
    let before: (() => Promise<void>) | undefined
    const decorate = (service: VcsService) =>
      onCall(service, async (method, request) => {
        if (method !== 'Apply' || !('updateRefs' in request)) return
        const work = before
        before = undefined
        await work?.()
      })
    const fixture = atEnd(context, await testServer({ store, database, decorate }))
    const repo = fixture.client().repository('team/a')
    await repo.createRepository()
    const url = repo.remoteUrl()
    const work = await WorkTree.init(context)
    // One above the size of messages, which other stores take in as a stream.
    const large = Buffer.alloc(1_500_000, 'large\n')
    await writeFile(join(work.path, 'large.txt'), large)
    await writeFile(join(work.path, 'a.txt'), 'first')
    await work.git('add', '.')
    const first = await work.commit('first')
    await work.git('tag', '--annotate', '--message', 'a release', 'v1')
    await work.git('push', '--quiet', url, 'main:trunk', 'main:other', 'v1')
    const refs = async () => new Map((await repo.listRefs()).refs.map(({ name, oid }) => [name, oid]))
    assert.deepEqual([...(await refs()).keys()], ['refs/heads/other', 'refs/heads/trunk', 'refs/tags/v1'])
    assert.equal((await refs()).get('refs/heads/trunk'), first)
    assert.equal((await repo.getTag('v1')).tag?.message, 'a release\n')
    assert.equal((await repo.getRepository()).defaultBranch, 'refs/heads/trunk')
    assert.ok(large.equals(await repo.download({ revision: 'trunk', path: 'large.txt' }).bytes()))

    const second = await work.commit('second')
    let oid = ''
    before = async () => {
      oid = (await repo.commitFiles({ branch: 'trunk', changes: { 'b.txt': 'api' }, message: 'api', author })).oid
    }
    const pushed = await work.run('push', '--quiet', url, 'main:trunk', 'main:side')
    assert.match(pushed.output, /! \[remote rejected\] main -> trunk \(refs\/heads\/trunk is at/)
    assert.match(pushed.output, /\[new branch\] +main -> side/)
    assert.equal((await refs()).get('refs/heads/trunk'), oid)
    assert.equal((await refs()).get('refs/heads/side'), second)
    const clone = await work.clone(url, '--branch=trunk')
    assert.equal(await clone.git('rev-parse', 'HEAD'), oid)
    await clone.git('fsck', '--strict')
  })
}

/** The same service, with work before each unary call. */
function onCall(service: VcsService, work: (method: string, request: object) => Promise<void>): VcsService {
  return new Proxy(service, {
    get(target, name) {
      if (name === 'call') {
        return async (...[method, request, caller]: Parameters<VcsService['call']>) => {
          await work(method, request)
          return await target.call(method, request, caller)
        }
      }
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
