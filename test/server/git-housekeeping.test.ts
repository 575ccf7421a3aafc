/**
 * An administrator's git works in the repositories of a running server: gc, prune, repack, pack-refs, maintenance, a push,
 * a fetch, refs moved by hand, hooks. Calls go on meanwhile, and nothing that was acknowledged is lost.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { BlobwireError, type Client } from '../../src/index.ts'
import { temporaryDirectory } from '../store/support.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'A', email: 'a@example.com' }
const environment = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  LC_ALL: 'C',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'G'],
      [`GIT_${who}_EMAIL`, 'g']
    ])
  )
}
const run = promisify(execFile)

interface Scene {
  readonly client: Client
  readonly gitDir: string
  /** Runs git in the repository. */
  readonly git: (...args: string[]) => Promise<string>
  readonly close: () => Promise<void>
}

async function scene(context: TestContext, housekeeping: boolean): Promise<Scene> {
  const directory = await temporaryDirectory(context)
  const options = { housekeeping, maxPacks: 12, repackPauseMs: 0, repackQuietMs: 100 }
  const server = atEnd(context, await testServer({ store: await GitStore.open(directory, options) }))
  const client = server.client({ transport: 'msgpack' })
  await client.createRepository('demo')
  const gitDir = join(directory, 'demo.git')
  const git = async (...args: string[]) =>
    (await run('git', ['--git-dir', gitDir, ...args], { env: environment })).stdout.trim()
  return { client, gitDir, git, close: () => server.server.close() }
}

/** Writers and readers; every answer is checked. */
class Load {
  readonly blobs: string[] = []
  readonly heads = new Map<string, string>()
  readonly #client: Client
  #rounds = 0
  #stopped = false
  #onRound: () => void = () => undefined
  readonly #work: Promise<unknown>

  constructor(client: Client) {
    this.#client = client
    this.#work = Promise.all(['a', 'b'].map((name) => this.#write(name)))
    this.#work.catch(() => {
      this.#stopped = true
    })
  }

  /** Waits for so many more rounds of each writer. @throws the error of a call */
  async rounds(count: number): Promise<void> {
    const target = this.#rounds + 2 * count
    const reached = new Promise<void>((resolve) => {
      this.#onRound = () => void (this.#rounds >= target && resolve())
    })
    await Promise.race([reached, this.#work.then(() => assert.fail('the load has ended'))])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#work
  }

  async #write(name: string): Promise<void> {
    for (let round = 0; !this.#stopped; round++) {
      const branch = `${name}/${round % 3}`
      const loose = await this.#client.storeBlob('demo', `nothing points to ${name} ${round}`)
      this.blobs.push(loose.oid)
      const { oid } = await this.#client.commitFiles('demo', {
        branch,
        changes: { [`f${round % 20}`]: `${name} ${round}`, [`${name}/${round % 7}`]: `below ${round}` },
        message: `round ${round}`,
        author
      })
      this.heads.set(`refs/heads/${branch}`, oid)
      const old = this.blobs[round % this.blobs.length] as string
      assert.equal((await this.#client.getBlob('demo', old)).oid, old)
      assert.equal((await this.#client.getCommit('demo', branch)).commit.oid, oid)
      this.#rounds++
      this.#onRound()
    }
  }
}

/** Somebody else's clone, with a commit of its own on a new branch. */
async function clone({ gitDir }: Scene, context: TestContext, branch: string) {
  const directory = await temporaryDirectory(context)
  const git = async (...args: string[]) =>
    (await run('git', ['-C', directory, ...args], { env: environment })).stdout.trim()
  await git('clone', '-q', '--bare', gitDir, '.')
  const tree = await git('rev-parse', 'refs/heads/a/0^{tree}')
  const commit = await git('commit-tree', '-m', branch, '-p', 'refs/heads/a/0', tree)
  await git('update-ref', `refs/heads/${branch}`, commit)
  return { directory, git, commit }
}

const hooks = ['reference-transaction', 'update', 'pre-receive', 'post-receive', 'post-update', 'pre-auto-gc']

/** What an administrator does, by name. */
const kinds: Readonly<Record<string, (scene: Scene, context: TestContext) => Promise<unknown>>> = {
  'git gc': ({ git }) => git('gc', '-q'),
  'git gc --prune=now --aggressive': ({ git }) => git('gc', '-q', '--prune=now', '--aggressive'),
  'git prune --expire=now': ({ git }) => git('prune', '--expire=now'),
  'git repack -adf': ({ git }) => git('repack', '-adfq'),
  'git repack -Ad, git prune': async ({ git }) => {
    await git('repack', '-Adq')
    await git('prune', '--expire=now')
  },
  'git repack --geometric=2 -d --write-midx': ({ git }) => git('repack', '--geometric=2', '-dq', '--write-midx'),
  'git multi-pack-index write, repack, expire': async ({ git }) => {
    for (const step of ['write', 'repack', 'expire']) await git('multi-pack-index', step, '--no-progress')
  },
  'git pack-refs --all --prune': ({ git }) => git('pack-refs', '--all', '--prune'),
  'git maintenance run': ({ git }) => git('maintenance', 'run', '--quiet'),
  'git maintenance run of every task': ({ git }) =>
    git('maintenance', 'run', '--quiet', '--task=commit-graph', '--task=loose-objects', '--task=incremental-repack'),
  'a push': async (at, context) => {
    const { git, commit } = await clone(at, context, 'pushed')
    await git('push', '-q', at.gitDir, 'refs/heads/pushed')
    assert.equal(await at.git('rev-parse', 'refs/heads/pushed'), commit)
    assert.equal((await at.client.getCommit('demo', 'pushed')).commit.oid, commit)
  },
  'a fetch': async (at, context) => {
    const { directory, commit } = await clone(at, context, 'fetched')
    await at.git('fetch', '-q', directory, 'refs/heads/fetched:refs/heads/fetched')
    assert.equal((await at.client.getCommit('demo', 'fetched')).commit.oid, commit)
  },
  'refs by hand': async ({ client, git }) => {
    const oid = await git('rev-parse', 'refs/heads/a/0')
    await git('update-ref', 'refs/heads/by-hand', oid)
    assert.equal((await client.getCommit('demo', 'by-hand')).commit.oid, oid)
    await git('update-ref', '-d', 'refs/heads/by-hand')
    await assert.rejects(client.getCommit('demo', 'by-hand'), { code: 'not_found' })
  },
  'loose objects that become packed': async ({ client, gitDir, git }) => {
    const oid = await git('hash-object', '-w', join(gitDir, 'config'))
    assert.equal((await client.getBlob('demo', oid)).oid, oid)
    await git('repack', '-dq')
    await git('prune-packed', '-q')
  },
  'hooks that refuse': async ({ gitDir }) => {
    await mkdir(join(gitDir, 'hooks'), { recursive: true })
    for (const hook of hooks) await writeFile(join(gitDir, 'hooks', hook), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  }
}

test('calls go on while git works in the repository, and nothing is lost', async (context) => {
  const at = await scene(context, true)
  const load = new Load(at.client)
  await load.rounds(3)
  for (const [name, work] of Object.entries(kinds)) {
    await context.test(name, async (inner) => {
      await Promise.all([work(at, inner), load.rounds(1)])
      await load.rounds(1)
    })
  }
  await load.stop()
  await rm(join(at.gitDir, 'hooks'), { recursive: true })
  const { missing } = await at.client.findMissing('demo', load.blobs)
  assert.deepEqual(missing, [], 'objects that no ref reaches, of a second ago')
  // `git fsck` takes packs for damaged that are joined while it reads them.
  await at.close()
  await at.git('fsck', '--strict', '--no-dangling')
  const refs = await at.git('for-each-ref', '--format=%(refname) %(objectname)')
  for (const [ref, oid] of load.heads) assert.ok(refs.includes(`${ref} ${oid}`), ref)
})

/** As if the objects had been stored long ago, and nothing had pointed to them since. */
async function dropUnreachable({ gitDir, git }: Scene): Promise<void> {
  const packs = join(gitDir, 'objects', 'pack')
  for (const name of await readdir(packs)) if (name.endsWith('.keep')) await rm(join(packs, name))
  await git('gc', '-q', '--prune=now')
}

test('an object that is gone is known no more: it is told to be missing, and stored again', async (context) => {
  const at = await scene(context, false)
  const { client } = at
  await client.commitFiles('demo', { branch: 'main', changes: { a: 'reached' }, message: 'one', author })
  const { oid } = await client.storeBlob('demo', 'nothing points to it')
  const tree = await client.storeTree('demo', [{ path: 'b', mode: '100644', oid }])
  const made = await client.storeCommit('demo', { tree: tree.oid, parents: [], message: 'orphan', author })
  // The server's git processes have the packs open now, to read objects and to move refs.
  await client.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: null, newOid: made.oid }])
  await client.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: made.oid, newOid: null }])
  assert.deepEqual(await client.findMissing('demo', [oid, tree.oid, made.oid]), { missing: [] })
  await dropUnreachable(at)

  const refused = (missing: string) => (error: unknown) =>
    error instanceof BlobwireError && error.is('missing_object') && error.details.missingOids.join() === missing
  await assert.rejects(
    client.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: null, newOid: made.oid }]),
    refused(made.oid)
  )
  await assert.rejects(
    client.storeCommit('demo', { tree: tree.oid, parents: [], message: 'orphan', author }),
    refused(tree.oid)
  )
  await assert.rejects(client.storeTree('demo', [{ path: 'b', mode: '100644', oid }]), refused(oid))
  assert.deepEqual(await client.findMissing('demo', [oid, tree.oid]), { missing: [oid, tree.oid] })
  // The client takes the content for known, names it, is refused once, and sends it.
  const attempts = client.stats().calls
  const files = { branch: 'main', changes: { b: 'nothing points to it' }, message: 'two', author }
  const second = await client.commitFiles('demo', files)
  assert.ok(client.stats().calls > attempts)
  assert.equal(await at.git('rev-parse', 'refs/heads/main:b'), oid)
  assert.equal((await client.getCommit('demo', 'main')).commit.oid, second.oid)
  await at.git('fsck', '--strict')
})

test('an object is not told to be there because a git process of the server has its deleted pack open', async (context) => {
  const at = await scene(context, false)
  const { oid } = await at.client.storeBlob('demo', 'gone')
  assert.deepEqual(await at.client.findMissing('demo', [oid]), { missing: [] })
  await dropUnreachable(at)
  assert.deepEqual(await at.client.findMissing('demo', [oid]), { missing: [oid] })
})

test('an object that is gone is written again when it is stored again', async (context) => {
  const at = await scene(context, false)
  const { oid } = await at.client.storeBlob('demo', 'stored twice')
  await dropUnreachable(at)
  await at.client.storeBlob('demo', 'stored twice')
  assert.equal(await at.git('cat-file', '-t', oid), 'blob')
})

test('a ref never reaches a missing object, where an old object is gone that a new tree points to', async (context) => {
  const at = await scene(context, false)
  const { client } = at
  await client.commitFiles('demo', { branch: 'main', changes: { a: 'reached' }, message: 'one', author })
  const { oid } = await client.storeBlob('demo', 'stored long ago')
  const old = (await readdir(join(at.gitDir, 'objects', 'pack'))).filter((name) => name.endsWith('.keep'))
  const tree = await client.storeTree('demo', [{ path: 'b', mode: '100644', oid }])
  for (const name of old) await rm(join(at.gitDir, 'objects', 'pack', name))
  await at.git('gc', '-q', '--prune=now')
  // The tree has its .keep file, and all that the commit itself points to is there.
  const parents = [await at.git('rev-parse', 'main')]
  const made = await client.storeCommit('demo', { tree: tree.oid, parents, message: 'two', author })
  const update = { name: 'refs/heads/main', expectedOid: parents[0] as string, newOid: made.oid }
  for (let tries = 0; tries < 2; tries++) {
    await assert.rejects(
      client.updateRefs('demo', [update]),
      (error) => error instanceof BlobwireError && error.is('missing_object') && error.details.missingOids[0] === oid
    )
  }
  await client.storeBlob('demo', 'stored long ago')
  await client.updateRefs('demo', [update])
  await at.git('fsck', '--strict')
})
