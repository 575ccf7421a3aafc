/** Pushes over HTTP by Git itself: what comes is what the API has, on every store. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ServerOptions } from '../../server-fixture/server.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { newDatabase } from '../support/database.ts'
import { atEnd, testServer } from '../support/server.ts'
import { WorkTree } from './git-client.ts'

const author = { name: 'A', email: 'a@example.com' }
const stores = ['git', 'memory', 'postgres'] as const
const database = [await newDatabase()]

async function begin(context: TestContext, { store, ...more }: Partial<ServerOptions> & Pick<ServerOptions, 'store'>) {
  const fixture = atEnd(context, await testServer({ store, database, ...more }))
  const name = `team/${context.name.replace(/[^a-z]+/gi, '-')}`
  const repo = fixture.client().repository(name)
  const work = await WorkTree.init(context)
  return { fixture, repo, work, url: `${fixture.server.http}/${name}.git` }
}

for (const store of stores) {
  test(`${store}: the first push makes branches, tags and HEAD, and a clone has them`, async (context) => {
    const { repo, work, url } = await begin(context, { store })
    await repo.createRepository()
    // One above the size of messages, which other stores take in as a stream.
    const large = Buffer.alloc(1_500_000, 'large\n')
    await writeFile(join(work.path, 'large.txt'), large)
    await writeFile(join(work.path, 'a.txt'), 'first')
    await work.git('add', '.')
    const first = await work.commit('first')
    await work.git('tag', '--annotate', '--message', 'a release', 'v1')
    await work.git('branch', '--move', 'trunk')
    await work.git('branch', 'other')
    await work.git('push', '--quiet', url, 'trunk', 'other', 'v1')
    const { refs } = await repo.listRefs()
    assert.deepEqual(
      refs.map(({ name }) => name),
      ['refs/heads/other', 'refs/heads/trunk', 'refs/tags/v1']
    )
    assert.equal(refs[1]?.oid, first)
    assert.equal((await repo.getTag('v1')).tag?.message, 'a release\n')
    assert.equal((await repo.getRepository()).defaultBranch, 'refs/heads/trunk')
    const blob = await repo.download({ revision: 'trunk', path: 'large.txt' }).bytes()
    assert.ok(large.equals(blob))
    const { oid } = await repo.commitFiles({ branch: 'trunk', changes: { 'a.txt': 'second' }, message: 'api', author })
    const clone = await work.clone(url, '--branch=trunk')
    assert.equal(await clone.git('rev-parse', 'HEAD'), oid)
    await clone.git('fsck', '--strict')
  })

  test(`${store}: a commit by the API while a push is under way is not lost`, async (context) => {
    let other: (() => Promise<unknown>) | undefined
    const decorate = (service: VcsService): VcsService =>
      new Proxy(service, {
        get(target, name) {
          if (name !== 'call') {
            const value = Reflect.get(target, name, target) as unknown
            return typeof value === 'function' ? value.bind(target) : value
          }
          const call: VcsService['call'] = async (method, request, caller) => {
            const work = method === 'Apply' && 'updateRefs' in request ? other : undefined
            other = work ? undefined : other
            await work?.()
            return await target.call(method, request, caller)
          }
          return call
        }
      })
    const { repo, work, url } = await begin(context, { store, decorate })
    await repo.createRepository()
    await work.commit('first')
    await work.git('push', '--quiet', url, 'main')
    await work.commit('second')
    const commit = { branch: 'main', changes: { 'a.txt': 'api' }, message: 'api', author }
    let oid = ''
    other = async () => {
      oid = (await repo.commitFiles(commit)).oid
    }
    const pushed = await work.run('push', '--quiet', url, 'main', 'main:side')
    assert.equal(pushed.status, 1)
    assert.match(pushed.output, /! \[remote rejected\] main -> main \(.*refs\/heads\/main/)
    assert.match(pushed.output, /\[new branch\] +main -> side/)
    const { refs } = await repo.listRefs()
    assert.equal(refs.find(({ name }) => name === 'refs/heads/main')?.oid, oid)
    assert.equal(refs.find(({ name }) => name === 'refs/heads/side')?.oid, await work.git('rev-parse', 'main'))
  })
}
