/** Packs are joined in the background. */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { git, newObject, openGitStore } from './support.ts'

async function countPacks(gitDir: string): Promise<number> {
  const names = await readdir(join(gitDir, 'objects', 'pack'))
  return names.filter((name) => name.endsWith('.pack')).length
}

test('large packs, whose contents are stored, are compressed when they are joined', async (context) => {
  const { store, directory } = await openGitStore(context, { repackPauseMs: 0, repackQuietMs: 1 })
  await store.createRepository('demo', 'sha1')
  const packs = join(directory, 'demo.git', 'objects', 'pack')
  const blobs = ['one', 'two'].map((text) => newObject('blob', `${text} `.repeat(300_000), 'sha1'))
  for (const blob of blobs) await store.putObjects('demo', [blob])
  await until(() => {
    const [only, ...others] = readdirSync(packs).filter((name) => name.endsWith('.pack'))
    const bytes = only && statSync(join(packs, only), { throwIfNoEntry: false })?.size
    return others.length === 0 && Number(bytes) < 50_000
  }, 'the packs are joined and compressed')
  const read = await store.readObjects(
    'demo',
    blobs.map(({ oid }) => oid),
    2_000_000
  )
  for (const [index, { content }] of blobs.entries()) assert.deepEqual(read[index]?.content, content)
})

test('packs are joined while puts and reads go on, and nothing unreachable or loose is lost', async (context) => {
  const { store, directory } = await openGitStore(context, { maxPacks: 10, repackPauseMs: 0, repackQuietMs: 100 })
  await store.createRepository('demo', 'sha1')
  const gitDir = join(directory, 'demo.git')
  git(gitDir, ['hash-object', '-w', '--stdin'], 'loose')
  const loose = newObject('blob', 'loose', 'sha1').oid
  const blobs = Array.from({ length: 120 }, (_, index) => newObject('blob', `nothing points to ${index}`, 'sha1'))
  const stored: string[] = [loose]
  let writing = true
  let missed = 0
  const reading = (async () => {
    while (writing) {
      const infos = await store.hasObjects('demo', [...stored])
      missed += infos.filter((info) => info === undefined).length
    }
  })()
  for (const blob of blobs) {
    await store.putObjects('demo', [blob])
    stored.push(blob.oid)
  }
  writing = false
  await reading
  assert.equal(missed, 0, 'a read did not find an object while packs were joined')
  // A run may be under way; it ends by itself, and leaves few packs.
  let packs = await countPacks(gitDir)
  for (let tries = 0; tries < 500 && packs > 11; tries++) {
    await sleep(20)
    packs = await countPacks(gitDir)
  }
  // Counted once: the pack of a run that has just begun comes before those that it joins go.
  assert.ok(packs <= 11, `${packs} packs`)
  const read = await store.readObjects(
    'demo',
    blobs.map((blob) => blob.oid),
    1000
  )
  for (const [index, blob] of blobs.entries()) assert.deepEqual(read[index]?.content, blob.content)
  await store.close()
  const fsck = git(gitDir, ['fsck', '--strict', '--no-dangling'])
  assert.equal(fsck.status, 0, fsck.output)
  const checked = git(gitDir, ['cat-file', '--batch-check'], stored.map((oid) => `${oid}\n`).join('')).output
  assert.ok(!checked.includes('missing'))
  const unfinished = (await readdir(join(gitDir, 'objects', 'pack'))).filter(
    (name) => !/^pack-\w+\.(pack|idx|keep)$/.test(name)
  )
  assert.deepEqual(unfinished, [])
})
