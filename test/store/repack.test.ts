import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { git, newObject, openGitStore } from './support.ts'

async function countPacks(gitDir: string): Promise<number> {
  const names = await readdir(join(gitDir, 'objects', 'pack'))
  return names.filter((name) => name.endsWith('.pack')).length
}

test('a repack runs beside puts and reads, and loses no unreachable or loose object', async (context) => {
  const { store, directory } = await openGitStore(context, { maxPacks: 10, compactPauseMs: 0 })
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
  for (let tries = 0; tries < 500 && (await countPacks(gitDir)) > 11; tries++) await sleep(20)
  assert.ok((await countPacks(gitDir)) <= 11, `${await countPacks(gitDir)} packs`)
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
  const leftovers = (await readdir(join(gitDir, 'objects', 'pack'))).filter(
    (name) => !/^pack-\w+\.(pack|idx)$/.test(name)
  )
  assert.deepEqual(leftovers, [])
})
