/**
 * Writes into a Git store from many sides at once until it is killed, and reports acknowledged writes on stdout:
 * `object <oid> <content>`, `ref <name> <oid>` and `key <key> <oid>`, one a line; before a move `try <ref> <key> <oid>`.
 *
 *     node kill-child.ts DIRECTORY ROUND
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { keyed, newCommit, newObject } from './support.ts'

const [directory = '', round = ''] = process.argv.slice(2)
const format = 'sha1'
// Few packs, so that many runs of `git repack` are interrupted too.
const store = await GitStore.open(directory, { maxPacks: 8, repackPauseMs: 0 })
await store.createRepository('demo', format)

async function writeObjects(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const texts = Array.from({ length: 1 + (count % 5) }, (_, index) => `${round}-${writer}-${count}-${index}`)
    const objects = texts.map((text) => newObject('blob', text, format))
    await store.putObjects('demo', objects)
    process.stdout.write(objects.map(({ oid }, index) => `object ${oid} ${texts[index]}\n`).join(''))
  }
}

/** Moves two branches together, each by a commit on top of the one before. */
async function moveRefs(mover: number): Promise<never> {
  const names = [`refs/heads/${mover}-a`, `refs/heads/${mover}-b`]
  for (let count = 0; ; count++) {
    const heads = await store.readRefs('demo', names)
    const commits = heads.map((head, index) =>
      newCommit(`${round} ${mover} ${count} ${index}`, format, head ? [head] : [])
    )
    await store.putObjects('demo', commits.flat())
    const moves = names.map((name, index) => ({
      name,
      expectedOid: heads[index] ?? zeroOid(format),
      newOid: commits[index]?.[1]?.oid ?? ''
    }))
    const key = `${round}-${mover}-${count}`
    const oid = moves[0]?.newOid ?? ''
    process.stdout.write(`try ${names[0]} ${key} ${oid}\n`)
    const mismatches = await store.updateRefs('demo', moves, { requests: [keyed(key, oid, moves)] })
    if (mismatches.length > 0) throw new Error(`nobody else moves these refs: ${JSON.stringify(mismatches)}`)
    const lines = moves.map(({ name, newOid }) => `ref ${name} ${newOid}\n`)
    process.stdout.write(`${lines.join('')}key ${key} ${oid}\n`)
  }
}

/** Repositories made and deleted, so that some are half-way when the process is killed. */
async function makeRepositories(): Promise<never> {
  for (let count = 0; ; count++) {
    await store.createRepository(`made/${count % 3}`, format)
    await store.deleteRepository(`made/${(count + 1) % 3}`)
  }
}

/** Uploads of known and unknown size, cut at random. */
async function uploadBlobs(): Promise<never> {
  for (let count = 0; ; count++) {
    const text = `${round}-upload-${count}-`.padEnd(150_000, 'x')
    const writer = await store.openUpload('demo', `upload-${round}-${count}`, count % 2 === 0 ? text.length : undefined)
    for (let at = 0; at < text.length; at += 70_000) await writer.write(Buffer.from(text.slice(at, at + 70_000)))
    const { oid } = await writer.finish({ oid: undefined, sha256: undefined })
    await writer.release()
    process.stdout.write(`object ${oid} ${text}\n`)
    // The others have most of the disk's time.
    await sleep(20)
  }
}

await Promise.all([
  uploadBlobs(),
  ...[1, 2, 3, 4, 5, 6].map(writeObjects),
  moveRefs(1),
  moveRefs(2),
  makeRepositories()
])
