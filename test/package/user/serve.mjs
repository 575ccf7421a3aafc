/** A server and clients in one program; prints a line for each part that works or tells what it needs. */
import { createRequire } from 'node:module'
import { createClient } from 'blobwire'
import { MissingPackageError, startServer } from 'blobwire/server'
import { createTestClient } from 'blobwire/testing'

const print = (...words) => process.stdout.write(`${words.join(' ')}\n`)
const missing = []

const server = await startServer({
  store: 'git',
  data: process.argv[2],
  adminPort: 0,
  log: (event) => missing.push(event.package)
})
for (const transport of ['msgpack', 'grpc']) {
  const endpoint = transport === 'grpc' ? server.grpc.replace('http', 'grpc') : server.http
  const client = createClient({ endpoint, transport })
  await client.createRepository(transport)
  const { oid } = await client.upload(transport, Buffer.alloc(3_000_000, 'x'))
  print(transport, oid.length)
  await client.close()
}
print('missing', missing.filter((name) => name !== undefined).toSorted())
for (const path of ['/metrics', '/dashboard', '/dashboard/uplot.js', '/dashboard/uplot.css']) {
  const answer = await fetch(server.admin + path)
  print(path, answer.status, (await answer.text()).includes('npm install prom-client'))
}
await server.close()
const noDriver = await startServer({ store: 'postgres', database: ['postgres://localhost'] }).catch((error) => error)
print(noDriver instanceof MissingPackageError, noDriver.message)
const client = createTestClient()
await client.createRepository('demo')
await client.close()
const require = createRequire(import.meta.url)
print(require('blobwire/server').startServer === startServer, Object.keys(require('blobwire/testing')).length > 0)
