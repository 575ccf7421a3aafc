/**
 * `npm run test:database -- URL[,URL…] [--kill COMMAND] [--seconds N]`: the tests of the PostgreSQL store against a cluster
 * that runs already: contract, linearizability, overlapping writers, and then three servers under load, one of which is
 * killed again and again. `--kill` is a command that kills something of the cluster and brings it back, such as
 * `docker restart worker-1`; it runs every five seconds. URLs are the servers of one cluster, as for `--database`.
 *
 * On one PostgreSQL each test has a database of its own, which is removed. On Citus the tables of the given database are
 * dropped; its name has to have `test` in it. `--version DIRECTORY` starts an engine with the programs of that directory.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { binariesIn } from '../server-fixture/store/postgres/embedded/binaries.ts'
import { startEngine } from '../server-fixture/store/postgres/embedded/engine.ts'
import { emptyDatabase, givenCluster, removeDatabase } from '../test/support/given-database.ts'
import { runKills } from './test-database/kills.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** They start engines of their own, or judge what one server alone does. */
const others = ['connections', 'embedded', 'failover', 'killed', 'backup', 'plans']

/** Test files that take a database. */
function testFiles(): string[] {
  const directory = join(root, 'test', 'store')
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts')
  )
  return names
    .filter((name) => !others.some((other) => name.endsWith(`postgres/${other}.test.ts`)))
    .map((name) => join(directory, name))
    .filter((file) => /newDatabase(Urls)?\(/.test(readFileSync(file, 'utf8')))
}

async function runTests(urls: readonly string[]): Promise<boolean> {
  const env = { ...process.env, [givenCluster]: urls.join(',') }
  // One after the other: on Citus they share a database.
  const flags = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...testFiles()]
  const [code] = await once(spawn(process.execPath, flags, { cwd: root, env, stdio: 'inherit' }), 'exit')
  return code === 0
}

const usage = `usage: npm run test:database -- URL[,URL…] [flags]
  URL[,URL…]           the servers of one cluster, as for --database of the server; a user who may make databases
  --kill COMMAND       kills something of the cluster and brings it back; runs every five seconds
  --seconds N          of the load with kills (default 20)
  --version DIRECTORY  starts an engine with the programs of the directory, and needs no URL`

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        kill: { type: 'string' },
        seconds: { type: 'string', default: '20' },
        version: { type: 'string' },
        help: { type: 'boolean' }
      }
    })
    const urls = positionals.flatMap((text) => text.split(','))
    if (!values.help && (values.version === undefined) === (urls.length === 0)) throw new Error('a URL, or --version')
    return { values, urls }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`)
    process.exit(2)
  }
}

const { values, urls: given } = parse()
if (values.help) {
  process.stdout.write(`${usage}\n`)
  process.exit()
}
const engine =
  values.version === undefined ? undefined : await startEngine({ binaries: await binariesIn(values.version) })
try {
  const urls = engine === undefined ? given : [engine.url]
  const isSound = await runTests(urls)
  const name = `test_kills_${process.pid}`
  const database = await emptyDatabase(urls, name)
  try {
    await runKills({ urls: database, command: values.kill, seconds: Number(values.seconds) })
  } finally {
    await removeDatabase(urls, name)
  }
  process.exitCode = isSound ? 0 : 1
} finally {
  await engine?.stop()
}
