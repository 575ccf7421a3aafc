/**
 * `npm run check:older-versions [-- COMMIT…]`: takes earlier versions from the history of this repository, and tries the
 * client of today with their servers, their clients with the server of today, and their data directories. Ends with 1
 * where something does not work.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { type OlderModule, withOlderClient, withOlderServer } from './expectations.ts'

/** The last version without request keys. */
const commits = process.argv.length > 2 ? process.argv.slice(2) : ['7820ae4']
const root = fileURLToPath(new URL('../..', import.meta.url))

/** The files of a commit, with the packages of today. */
function materialise(commit: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'blobwire-older-'))
  const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 2 ** 28 })
  execFileSync('tar', ['-x', '-C', directory], { input: archive })
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  return directory
}

const load = (directory: string, path: string): Promise<unknown> => import(pathToFileURL(join(directory, path)).href)

async function check(directory: string): Promise<string[]> {
  const older = (await load(directory, 'src/index.ts')) as OlderModule
  const { startServerProcess: startOlder } = (await load(directory, 'server-fixture/process.ts')) as {
    startServerProcess: typeof startServerProcess
  }
  const data = join(directory, 'data')
  const olderServer = await startOlder('--store', 'git', '--data', data)
  const setUp = older.createClient({ endpoint: olderServer.http.href })
  for (const name of ['demo', 'other']) await setUp.createRepository(name)
  const author = { name: 'A', email: 'a@b', timeSeconds: 1 }
  const { oid } = await setUp.commitFiles('demo', { branch: 'main', changes: { a: 'b' }, message: 'm', author })
  await setUp.close()
  const problems = (await withOlderServer(hrefs(olderServer))).map((problem) => `its server: ${problem}`)
  await olderServer.stop()

  const server = await startServerProcess('--store', 'git', '--data', data)
  problems.push(...(await withOlderClient(older, hrefs(server))).map((problem) => `its client: ${problem}`))
  const client = createClient({ endpoint: server.http.href })
  const found = (await client.getCommit('demo', 'main')).commit.oid
  if (found !== oid) problems.push(`its data directory: main is at ${found}, not ${oid}`)
  await client.commitFiles('demo', { branch: 'main', changes: { a: 'c' }, message: 'm', author, expectedHead: oid })
  await client.close()
  await server.stop()
  return problems
}

const hrefs = ({ http, grpc }: { http: URL; grpc: URL }) => ({ http: http.origin, grpc: grpc.origin })

for (const commit of commits) {
  const directory = materialise(commit)
  try {
    const problems = await check(directory)
    for (const problem of problems) console.error(`${commit}: ${problem}`)
    console.log(`${commit}: ${problems.length === 0 ? 'works with today' : `${problems.length} problems`}`)
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
