import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { startNode } from '../support/child.ts'
import { randomNumbers } from '../support/random.ts'
import { until } from '../support/until.ts'
import { eventsAfter } from './contract-events.ts'
import { git, temporaryDirectory } from './support.ts'

const rounds = 6

interface Acknowledged {
  /** Content by oid. */
  readonly objects: Map<string, string>
  /** The last value of each ref. */
  readonly refs: Map<string, string>
  /** The outcome by key. */
  readonly keys: Map<string, string>
  /** The last move of a ref that was begun: its key and new oid. */
  readonly tries: Map<string, readonly [key: string, oid: string]>
}

/**
 * Lets the child work for a while after its first line, in every other round at least until it has moved refs, however slow
 * the machine is; then kills it, and adds its lines. Returns their number.
 */
async function runAndKill(directory: string, round: number, lifeMs: number, said: Acknowledged): Promise<number> {
  const program = join(import.meta.dirname, 'kill-child.ts')
  const child = startNode(program, directory, String(round))
  const closed = once(child, 'close')
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  try {
    await Promise.race([once(child.stdout, 'data'), closed])
    const hasMoved = () => ['1-b', '2-b'].every((name) => Buffer.concat(chunks).includes(`ref refs/heads/${name} `))
    const moved = round % 2 === 1 && until(() => hasMoved() || child.exitCode !== null, 'both movers have moved refs')
    await Promise.race([Promise.all([sleep(lifeMs), moved]), closed])
  } finally {
    child.kill('SIGKILL')
  }
  const [, signal] = await closed
  assert.equal(signal, 'SIGKILL', 'the child ended by itself')
  // The text after the last newline was cut off.
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
  for (const line of lines) {
    const [what, key = '', value = '', oid = ''] = line.split(' ')
    if (what === 'object') said.objects.set(key, value)
    else if (what === 'ref') said.refs.set(key, value)
    else if (what === 'key') said.keys.set(key, value)
    else said.tries.set(key, [value, oid])
  }
  return lines.length
}

function checkObjects(gitDir: string, objects: ReadonlyMap<string, string>): void {
  const answer = git(gitDir, ['cat-file', '--batch'], [...objects.keys()].map((oid) => `${oid}\n`).join(''))
  const expected = [...objects].map(([oid, text]) => `${oid} blob ${text.length}\n${text}\n`).join('')
  assert.ok(answer.output === expected, 'an acknowledged object is missing or has other bytes')
}

function checkRefs(gitDir: string, refs: ReadonlyMap<string, string>): void {
  for (const [name, oid] of refs) {
    const { status, output } = git(gitDir, ['merge-base', '--is-ancestor', oid, name])
    assert.equal(status, 0, `${name} is not at or after ${oid}, which was acknowledged: ${output}`)
  }
}

/** A key is remembered if its move was made, acknowledged or not, and only then. */
async function checkKeys(store: GitStore, { keys, tries }: Acknowledged): Promise<void> {
  for (const [key, oid] of keys) assert.equal((await store.recall('demo', key))?.outcome, oid, key)
  for (const [ref, [key, oid]] of tries) {
    const [head] = await store.readRefs('demo', [ref])
    assert.equal((await store.recall('demo', key)) !== undefined, head === oid, `${ref}, ${key}`)
  }
}

/** The events are the moves that were made, each once: they lead every ref from nothing to where it is. */
async function checkEvents(store: GitStore, gitDir: string): Promise<void> {
  const incarnation = (await readFile(join(gitDir, 'blobwire-instance'), 'utf8')).trim()
  const { events, state } = await eventsAfter(store, 'demo', { incarnation, sequence: 2 ** 32 - 1 }, 100)
  assert.equal(state, 'current')
  const at = new Map<string, string>()
  for (const { moves } of events) {
    assert.equal(moves.length, 2)
    for (const { name, oldOid, newOid } of moves) {
      assert.equal(oldOid, at.get(name) ?? zeroOid('sha1'), name)
      at.set(name, newOid)
    }
  }
  const refs = await store.listRefs('demo', { prefix: '', after: '', limit: 100 })
  assert.deepEqual(new Map(refs.map(({ name, oid }) => [name, oid])), new Map([...at].toSorted()))
}

function checkIntegrity(gitDir: string): void {
  const { status, output } = git(gitDir, ['fsck', '--strict', '--no-dangling'])
  assert.equal(status, 0, output)
  assert.doesNotMatch(output, /missing|corrupt|error|bad/)
}

/** Names of everything unfinished in the data directory and its repository. */
async function unfinished(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => /tmp|\.lock$|~(?!format|requests|uploads)|\.new$/.test(name) && name !== 'server.lock')
}

test('every acknowledged write survives kill -9, and nothing partial is left', async (context) => {
  const directory = await temporaryDirectory(context)
  const gitDir = join(directory, 'demo.git')
  const random = randomNumbers(20_26)
  const said: Acknowledged = { objects: new Map(), refs: new Map(), keys: new Map(), tries: new Map() }
  for (let round = 0; round < rounds; round++) {
    const count = await runAndKill(directory, round, 30 + random(350), said)
    assert.ok(count > 0)

    const store = await GitStore.open(directory, { maxPacks: 10_000 })
    const names = [...said.refs.keys()]
    assert.ok((await store.readRefs('demo', names)).every((oid) => oid !== undefined))
    assert.deepEqual(await unfinished(directory), [])
    await checkKeys(store, said)
    await checkEvents(store, gitDir)
    await store.close()
    checkIntegrity(gitDir)
    checkObjects(gitDir, said.objects)
    checkRefs(gitDir, said.refs)
  }
  context.diagnostic(
    `${said.objects.size} objects, ${said.refs.size} refs and ${said.keys.size} keys acknowledged in ${rounds} rounds`
  )
  assert.ok(said.objects.size > 100 && said.refs.size === 4 && said.keys.size > 0)
})
