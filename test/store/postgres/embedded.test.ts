/** The database that npm brings: servers of one directory share it, and nobody's death ends it but the last one's. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, copyFile, link, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { startServerProcess } from '../../../server-fixture/process.ts'
import { binariesIn, findBinaries, readyCopy } from '../../../server-fixture/store/postgres/embedded/binaries.ts'
import { type EngineShare, joinEngine } from '../../../server-fixture/store/postgres/embedded/join-engine.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { type BlobwireError, createClient } from '../../../src/index.ts'
import { isAlive, startNode } from '../../support/child.ts'
import { untilAsync } from '../../support/until-async.ts'

async function temporaryDirectory(context: { after(work: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-embedded-'))
  await chmod(directory, 0o755)
  context.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}

/** The test looks for the engine's parent. */
const linux = { skip: process.platform !== 'linux' }

test(
  'servers of one directory share an engine, which outlives the first and ends with the last',
  linux,
  async (context) => {
    const directory = await temporaryDirectory(context)
    const flags = ['--store', 'postgres', '--database', 'embedded', '--data', directory]
    // At once: several keepers make the data, and one of them keeps the engine.
    const shares = await Promise.all([joinEngine(directory), joinEngine(directory)])
    assert.equal(shares[0]?.url, shares[1]?.url)
    for (const [password, message] of [
      ['', /asks for a password, and there is none: give it by --database-password-file, PGPASSWORD/],
      [
        'wrong-word',
        /cannot be used: 28P01: password authentication failed for user "postgres"; check the user and the/
      ]
    ] as const) {
      const locked = new URL(shares[0]?.url as string)
      locked.password = password
      await assert.rejects(PostgresStore.open({ urls: [locked.href] }), (error: BlobwireError) => {
        assert.equal(error.reason, 'database_refused')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /wrong-word/)
        return true
      })
    }
    const servers = [await startServerProcess(...flags), await startServerProcess(...flags)]
    context.after(() => Promise.all(servers.map((server) => server.kill())))
    const [share] = shares as [EngineShare, EngineShare]
    const store = await PostgresStore.open({ urls: [share.url] })
    await store.createRepository('shared', 'sha1')
    await store.close()
    for (const { leave } of shares) leave()
    const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]]
    const client = createClient({
      endpoint: second.http.origin,
      retry: { maxAttempts: 100, maxMs: 100, budgetRatio: 1, budgetPerSecond: 100 },
      timeoutMs: 30_000
    })
    context.after(() => client.close())
    const names = async () => (await client.listRepositories()).repositories.map(({ repository }) => repository)
    assert.deepEqual(await names(), ['shared'])
    const engine = async () =>
      Number((await readFile(join(directory, 'database', 'postmaster.pid'), 'utf8')).split('\n')[0])
    const pid = await engine()

    await first.kill()
    assert.deepEqual(await names(), ['shared'])
    assert.equal(await engine(), pid)

    process.kill(pid, 'SIGKILL')
    await untilAsync(async () => (await engine().catch(() => pid)) !== pid, 'an engine is started for the killed one')
    assert.deepEqual(await names(), ['shared'])

    const keeper = await parentOf(await engine())
    process.kill(keeper, 'SIGKILL')
    await untilAsync(
      async () => ![0, keeper].includes(await engine().then(parentOf, () => 0)),
      'another keeper is started for the killed one'
    )
    assert.deepEqual(await names(), ['shared'])

    const last = await engine()
    await second.kill()
    await untilAsync(async () => !isAlive(last), 'the engine ends with the last server')
  }
)

/** 0 where the process has none that lives. */
async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0)
}

test('an engine and its data end with the process that started it, even where it was killed', async () => {
  const child = startNode(
    '--input-type=module',
    '-e',
    `import { startTestEngine } from ${JSON.stringify(new URL('../../support/database-engine.ts', import.meta.url).href)}
    const engines = [await startTestEngine(), await startTestEngine()]
    await engines[1].kill()
    console.log(JSON.stringify(engines.map(({ pid, directory }) => ({ pid, directory }))))`
  )
  const [line] = await child.stdout.take(1).toArray()
  const engines = JSON.parse(String(line)) as { pid: number; directory: string }[]
  assert.deepEqual(
    engines.map(({ pid, directory }) => [isAlive(pid), existsSync(directory)]),
    [
      [true, true],
      [false, true]
    ]
  )
  child.kill('SIGKILL')
  await untilAsync(async () => engines.every(({ pid }) => !isAlive(pid)), 'the engine ends')
  await untilAsync(async () => engines.every(({ directory }) => !existsSync(directory)), 'their data are gone')
})

test('programs that cannot run where npm put them are run from a copy with the links of its libraries', async (context) => {
  const directory = await temporaryDirectory(context)
  const { postgres } = await findBinaries()
  const native = dirname(dirname(postgres))
  const unlinked = join(directory, 'package', 'native')
  const isNeeded = (name: string) => /^bin\/|^pg-symlinks|^lib\/[^/]*\.so/.test(name)
  for (const entry of await readdir(native, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name)
    const name = relative(native, from)
    if (!entry.isFile() || !isNeeded(name)) continue
    await mkdir(dirname(join(unlinked, name)), { recursive: true })
    await link(from, join(unlinked, name)).catch(() => copyFile(from, join(unlinked, name)))
  }
  await assert.rejects(binariesIn(join(unlinked, 'bin')), /shared librar/)
  const copy = await readyCopy(unlinked, join(directory, 'copy'))
  assert.match((await binariesIn(join(copy, 'bin'))).version, /^postgres \(PostgreSQL\) \d/)
})

const root = { skip: process.getuid?.() !== 0 }

test('a directory that the engine of root cannot reach is told in one sentence', root, async (context) => {
  const directory = await temporaryDirectory(context)
  await chmod(directory, 0o700)
  const data = join(directory, 'data')
  const message = `the embedded database does not start: the database of root runs as nobody (uid 65534), who cannot reach ${data}: choose another directory with --data`
  await assert.rejects(joinEngine(data), { message })
})
