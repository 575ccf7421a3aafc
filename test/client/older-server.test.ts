/** A server without request keys, guards and frames of several repositories, as a program; `npm run check:older-versions` tries real ones. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Urls, withOlderServer } from '../../scripts/older-versions/expectations.ts'
import { endWithParent } from '../../server-fixture/process.ts'
import { startNode } from '../support/child.ts'

const schema = new URL('../support/older-schema.ts', import.meta.url).href
const main = fileURLToPath(new URL('../../server-fixture/main.ts', import.meta.url))

async function post(urls: Urls, method: string, request: object): Promise<Response> {
  return await fetch(`${urls.http}/blobwire.v1.VcsService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request)
  })
}

test('an older server: reads and objects work; writes are refused with a reason of their own, and have no effect', async (context) => {
  const child = startNode(...endWithParent, '--import', schema, main, '--http-port', '0', '--grpc-port', '0')
  context.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const urls = JSON.parse(String(line)) as Urls
  for (const repository of ['demo', 'other']) {
    assert.equal((await post(urls, 'CreateRepository', { repository })).status, 200)
  }
  assert.equal((await post(urls, 'Apply', { repository: 'demo', requestKey: 'x' })).status, 501)
  assert.deepEqual(await withOlderServer(urls), [])
})
