/** Three servers on one database: one of them, and then the database, is killed while clients write. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endWithParent, startServerProcess } from '../../../server-fixture/process.ts'
import { copyTemplate } from '../../../server-fixture/store/postgres/embedded/data-directory.ts'
import { giveToOwner } from '../../../server-fixture/store/postgres/embedded/owner.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { createClient } from '../../../src/index.ts'
import { startTcpProxy } from '../../../tcp-proxy/tcp-proxy.ts'
import { startBlobWriters } from '../../support/blob-writers.ts'
import { startProgram } from '../../support/child.ts'
import { newDatabase } from '../../support/database.ts'
import { startTestEngine, testBinaries } from '../../support/database-engine.ts'
import { atEnd } from '../../support/server.ts'

const repository = 'demo'

test('a server that starts before its database waits for it', async (context) => {
  const url = new URL(await newDatabase())
  const wire = atEnd(context, await startTcpProxy(`http://${url.host}`))
  wire.refuse()
  url.port = String(wire.port)
  const flags = ['--http-port', '0', '--grpc-port', '0', '--store', 'postgres', '--database', url.href]
  const server = startProgram(process.execPath, ...endWithParent, 'server-fixture/main.ts', ...flags)
  context.after(() => server.kill('SIGKILL'))
  const ready = once(server.stdout, 'data')
  const [line] = await once(server.stderr, 'data')
  assert.match(String(line), /database_lost/)
  await wire.accept()
  const ended = once(server, 'exit').then(([code]) => [`ended with ${code}`])
  const [first] = await Promise.race([ready, ended])
  assert.match(String(first), /"http"/)
})

test('calls survive a server that is killed, and the database as well', { timeout: 300_000 }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-killed-'))
  context.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  await giveToOwner(directory)
  const binaries = await testBinaries()
  const data = join(directory, 'data')
  await copyTemplate(data, binaries)
  let engine = await startTestEngine({ binaries, directory: data })
  context.after(() => engine.kill())
  const { url, port } = engine
  const store = await PostgresStore.open({ urls: [url] })
  context.after(() => store.close())
  await store.createRepository(repository, 'sha1')
  const flags = ['--store', 'postgres', '--database', url]
  const servers = await Promise.all([1, 2, 3].map(() => startServerProcess(...flags)))
  context.after(() => Promise.all(servers.map((server) => server.kill())))

  const client = createClient({ endpoint: servers.map(({ http }) => http.origin) })
  context.after(() => client.close())
  const writers = startBlobWriters(50, ({ content }) => client.storeBlob(repository, content))
  await writers.more(150)
  await servers[0]?.kill()
  await writers.more(150)
  await servers[1]?.kill()
  await writers.more(150)
  const gapOfServers = writers.longestGapMs()

  await engine.kill()
  engine = await startTestEngine({ binaries, directory: data, port })
  await writers.more(150)
  await writers.stop()
  assert.deepEqual(writers.failures, [])
  const found = await store.hasObjects(repository, writers.acknowledged)
  assert.equal(found.filter((info) => info === undefined).length, 0)
  context.diagnostic(
    `longest gap: servers ${Math.round(gapOfServers)} ms, all ${Math.round(writers.longestGapMs())} ms`
  )
})
