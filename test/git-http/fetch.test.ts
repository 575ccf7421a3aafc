/** Clones and fetches over HTTP by Git itself. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../store/support.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'A', email: 'a@example.com' }

/** Runs git beside this process, which serves it. */
async function run(cwd: string, ...args: readonly string[]) {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0'
  }
  const child = spawn('git', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [status] = await once(child, 'close')
  return { status, output }
}

for (const store of ['git', 'memory'] as const) {
  test(`a clone and a fetch from the ${store} store have the commits of the API`, async (context) => {
    const fixture = atEnd(context, await testServer({ store }))
    const repo = fixture.client().repository('team/a')
    await repo.createRepository()
    const commit = (text: string) =>
      repo.commitFiles({ branch: 'main', changes: { 'a.txt': text }, message: text, author })
    await commit('first')
    const directory = await temporaryDirectory(context)
    const cloned = await run(directory, 'clone', `${fixture.server.http}/team/a.git`, 'clone')
    assert.equal(cloned.status, 0, cloned.output)
    const clone = join(directory, 'clone')
    assert.equal(await readFile(join(clone, 'a.txt'), 'utf8'), 'first')
    const { oid } = await commit('second')
    const fetched = await run(clone, 'fetch')
    assert.equal(fetched.status, 0, fetched.output)
    assert.equal((await run(clone, 'rev-parse', 'origin/main')).output.trim(), oid)
  })
}
