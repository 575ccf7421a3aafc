/**
 * `npm run soak:housekeeping -- [--commits N] [--rounds N] [--seed N]`: first single commits, whose packs are counted and
 * whose size is compared with `git gc`; then rounds in which writers go on while git works in the repository and the server
 * is killed. Ends with 1 where there are too many packs, they are too large, or anything acknowledged is gone.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { measureCollected, measurePacks, openHistory } from '../bench/contenders/git-history.ts'
import { seededRandom } from '../server-fixture/faults/random.ts'
import { startServerProcess } from '../server-fixture/process.ts'
import { type Client, createClient } from '../src/index.ts'

const { values } = parseArgs({
  options: {
    commits: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 100_000) }
  }
})
/** `maxPacks`, and those that are added until a run has ended. */
const mostPacks = 100
/** When all is quiet: one more than the logarithm of the number of objects. */
const mostQuietPacks = 20
const mostRatio = 1.3
const directory = mkdtempSync(join(tmpdir(), 'blobwire-housekeeping-'))
const wrong: string[] = []
const run = promisify(execFile)

async function countPacks(commits: number): Promise<void> {
  const history = await openHistory(join(directory, 'one'), 'on')
  let next = 0
  let most = 0
  const write = async (branch: string) => {
    while (next++ < commits) {
      await history.commit(branch)
      if (next % 20 === 0) most = Math.max(most, (await measurePacks(history.gitDir)).packs)
    }
  }
  await Promise.all(['a', 'b', 'c', 'd'].map(write))
  await sleep(10_000)
  const quiet = await measurePacks(history.gitDir)
  const collected = await measureCollected(history.gitDir, join(directory, 'copy.git'))
  await history.close()
  const ratio = quiet.bytes / collected.bytes
  console.log(`${commits} commits: at most ${most} packs, ${quiet.packs} in the end; ${ratio.toFixed(2)}x git gc`)
  if (most > mostPacks) wrong.push(`${most} packs`)
  if (quiet.packs > mostQuietPacks) wrong.push(`${quiet.packs} packs when all was quiet`)
  if (ratio > mostRatio) wrong.push(`${ratio.toFixed(2)} times the size of git gc`)
}

const works: readonly (readonly string[])[] = [
  ['gc', '-q'],
  ['gc', '-q', '--prune=now'],
  ['prune', '--expire=now'],
  ['repack', '-adfq'],
  ['repack', '-Adq'],
  ['repack', '--geometric=2', '-dq', '--write-midx'],
  ['multi-pack-index', 'write'],
  ['pack-refs', '--all', '--prune'],
  ['maintenance', 'run', '--quiet']
]

/** Acknowledged: oids of blobs that nothing points to, and heads by branch. */
const blobs: string[] = []
const heads = new Map<string, string>()

async function write(client: Client, name: string): Promise<void> {
  for (let count = 0; ; count++) {
    try {
      blobs.push((await client.storeBlob('demo', `${name} ${count} ${Math.random()}`)).oid)
      const changes = { [`f${count % 50}`]: `${name} ${count} ${Math.random()}` }
      const author = { name: 'A', email: 'a@example.com' }
      const { oid } = await client.commitFiles('demo', { branch: name, changes, message: `${count}`, author })
      heads.set(`refs/heads/${name}`, oid)
    } catch {
      // Killed; the next round has a server again.
      return
    }
  }
}

/** Processes of git that join packs below the directory. */
function orphans(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      } catch {
        return ''
      }
    })
    .filter((command) => command.includes('pack-objects\0--stdin-packs') && command.includes(directory))
}

const random = seededRandom(Number(values.seed))

async function killRound(round: number): Promise<void> {
  const data = join(directory, 'killed')
  const server = await startServerProcess('--store', 'git', '--data', data)
  const retry = { maxAttempts: 1 }
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack', retry })
  await client.createRepository('demo')
  const writing = Promise.all(['a', 'b', 'c', 'd'].map((name) => write(client, name)))
  const work = works[Math.floor(random() * works.length)] as readonly string[]
  const gitDir = join(data, 'demo.git')
  await sleep(500 + random() * 3000)
  const working = run('git', ['--git-dir', gitDir, ...work]).then(
    () => 'ended',
    (error) => `failed: ${String(error.stderr).trim().slice(0, 100)}`
  )
  await sleep(random() * 1000)
  await server.kill()
  await client.close()
  await writing
  for (let tries = 0; orphans().length > 0; tries++) {
    if (tries > 50) wrong.push(`git pack-objects outlives the server: ${orphans()[0]}`)
    if (tries > 50) break
    await sleep(100)
  }
  console.log(`round ${round}: git ${work.join(' ')} ${await working}; ${blobs.length} blobs`)
  const again = await startServerProcess('--store', 'git', '--data', data)
  const reader = createClient({ endpoint: again.http.origin, transport: 'msgpack' })
  for (let at = 0; at < blobs.length; at += 1000) {
    const { missing } = await reader.findMissing('demo', blobs.slice(at, at + 1000))
    if (missing.length > 0) wrong.push(`round ${round}: ${missing.length} blobs are gone, such as ${missing[0]}`)
  }
  await reader.close()
  await again.stop()
  await run('git', ['--git-dir', gitDir, 'fsck', '--strict', '--no-dangling']).catch((error) =>
    wrong.push(`round ${round}: git fsck: ${String(error.stderr).slice(0, 300)}`)
  )
  for (const [ref, oid] of heads) {
    // The commit that was under way may have been made.
    const reached = await run('git', ['--git-dir', gitDir, 'merge-base', '--is-ancestor', oid, ref]).then(
      () => true,
      () => false
    )
    if (!reached) wrong.push(`round ${round}: ${ref} does not reach ${oid}`)
  }
}

console.log(`seed ${values.seed}`)
await countPacks(Number(values.commits))
for (let round = 1; round <= Number(values.rounds) && wrong.length === 0; round++) await killRound(round)
rmSync(directory, { recursive: true, force: true })
for (const problem of wrong) console.log(problem)
console.log(wrong.length === 0 ? 'nothing was lost' : 'WRONG')
process.exitCode = wrong.length === 0 ? 0 : 1
