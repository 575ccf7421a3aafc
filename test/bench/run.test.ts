/** The benchmark as a person runs it, once, in small. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Run } from '../../bench/report/run.ts'
import { runNode } from '../support/child.ts'

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url))

test('a suite is run, printed and written; two results are compared; an unknown name fails', async (context) => {
  const out = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  context.after(() => rm(out, { recursive: true, force: true }))
  const flags = ['pipeline', '--quick', '--rounds', '2', '--round-ms', '20', '--out', out]
  const { stdout } = await runNode(main, ...flags)
  assert.match(stdout, /with and without the layers.*calls\/s.*blobwire, MessagePack/s)
  assert.match(stdout, /with all layers, against batches and transport alone /)
  const files = (await readdir(out)).map((name) => join(out, name))
  const json = files.find((name) => name.endsWith('.json')) ?? assert.fail('no JSON')
  assert.ok(files.some((name) => name.endsWith('.html')))
  const written = JSON.parse(await readFile(json, 'utf8')) as Run
  assert.equal(written.results.length, 1)
  for (const { contenders } of written.results) {
    assert.deepEqual(
      contenders.map(({ values }) => values.length),
      [2, 2, 2]
    )
    assert.ok(contenders.every(({ median }) => median > 0))
  }
  const compared = await runNode(main, 'compare', json, json)
  assert.equal(compared.stdout.match(/no difference/g)?.length, 3)
  await assert.rejects(runNode(main, 'everything'), /there is no suite everything/)
})
