/** Options of `startServer` and of `blobwire/testing` that are wrong: each is named, and nothing is started. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ServerOptions, startServer } from '../../server-fixture/server.ts'
import { createTestClient, createTestService, startTestServer } from '../../testing/index.ts'

test('an option of the server that is wrong is refused, with the right one', async () => {
  const cases: [object, RegExp][] = [
    [{ stor: 'git' }, /^stor: unknown option; did you mean store\? expected one of store, data, (?!.*decorate)/],
    [{ store: 'gti' }, /^store: must be 'memory', 'git', 'postgres' or a store, not "gti"$/],
    [{ store: 'git' }, /^data: is required with store: 'git'$/],
    [{ store: 'postgres' }, /^database: is required with store: 'postgres'$/],
    [{ data: 'data' }, /^store: must be 'git' or 'postgres' where there is data$/],
    [{ store: 'postgres', database: 'embedded' }, /^database: must be a list of URLs, or \['embedded'\]/],
    [{ httpPort: '80' }, /^httpPort: must be an integer from 0 to 65535, not "80"$/],
    [{ limits: { maxInlineByts: 3 } }, /^limits\.maxInlineByts: unknown option; did you mean maxInlineBytes\?/],
    [{ hosts: 'x' }, /^hosts: must be a list of strings/],
    [{ cors: 'x' }, /^cors: must be an object of options/],
    [{ grants: [{ tokn: 'secret' }] }, /^grants\[0\]\.token: must be a bearer token$/]
  ]
  for (const [options, message] of cases) await assert.rejects(startServer(options as ServerOptions), { message })
})

test('an option of a test server or service that is wrong is refused', async () => {
  await assert.rejects(startTestServer({ fauts: [] } as object), {
    message: /^fauts: unknown option; did you mean faults\?/
  })
  assert.throws(() => createTestService({ fault: [] } as object), {
    message: /^fault: unknown option; did you mean faults\?/
  })
  assert.throws(() => createTestService({ limits: { maxBlobBytes: -1 } }), {
    message: /^limits\.maxBlobBytes: must be/
  })
  assert.throws(() => createTestClient({ service: { grant: [] } as object }), { message: /^grant: unknown option/ })
})
