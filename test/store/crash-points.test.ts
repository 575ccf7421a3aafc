/**
 * A server that is killed between any two operations on files, or in the middle of one: what it acknowledged is there,
 * nothing of the write is there in part, and the repeated write has its effect once, and durably.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { checkPoint, crashPointsOf } from './crash-points.ts'
import { prepare, serviceOn, writes } from './every-write.ts'
import { temporaryDirectory } from './support.ts'

/** A data directory with the repository of `prepare`, and room for copies. */
async function prepared(context: TestContext) {
  const top = await temporaryDirectory(context)
  const places = { directory: join(top, 'data'), copies: join(top, 'copies') }
  await mkdir(places.copies)
  const store = await GitStore.open(places.directory)
  context.after(() => store.close())
  const head = await prepare(serviceOn(store).call)
  return { places, store, head }
}

for (const write of writes) {
  test(`killed in the middle of a write: ${write.name}`, async (context) => {
    const { places, store, head } = await prepared(context)
    const { call } = serviceOn(store)
    // Marks of the journal then come with its next record, and not in the middle of anything.
    context.mock.timers.enable({ apis: ['setTimeout'] })
    const request = write.request(head)
    const before = await write.look(call)
    let answer: object = {}
    const points = await crashPointsOf(places, async () => {
      answer = await call(write.method, request)
    })
    const made = { write, request, before, after: await write.look(call), answer }
    await store.close()
    assert.notDeepEqual(made.after, before)
    for (const point of points) {
      await context.test(point.label, () => checkPoint(point, made, point === points.at(-1)))
    }
  })
}
