/**
 * `npm run check:clients [-- --write] [-- --only TEXT]`: calls of each kind through unmodified clients with their defaults,
 * on the HTTP port of a server. Prints the table of docs/clients.md, and writes it there with `--write`. Exits with 1 where
 * a call fails, and names the clients that are not on this machine.
 */
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startServer } from '../../server-fixture/server.ts'
import { root } from '../../test/support/child.ts'
import { protoImage } from '../../test/support/vcs-service.ts'
import { judgeBufCurl } from './buf-curl.ts'
import { judgeConnectNode } from './connect-node.ts'
import { judgeConnectWeb } from './connect-web.ts'
import { judgeCurl } from './curl.ts'
import { judgeGrpcJs } from './grpc-js.ts'
import { judgeGrpcio } from './grpcio.ts'
import type { Row } from './outcome.ts'
import { tableOf, withTable } from './table.ts'

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, only: { type: 'string', default: '' } }
})
const judges = {
  'connect-node': judgeConnectNode,
  'connect-web': judgeConnectWeb,
  'grpc-js': judgeGrpcJs,
  grpcio: judgeGrpcio,
  'buf curl': judgeBufCurl,
  curl: judgeCurl
}
const directory = await mkdtemp(join(tmpdir(), 'check-clients-'))
const pages = createServer((_request, response) =>
  response.setHeader('content-type', 'text/html').end('<!doctype html>')
)
await once(pages.listen(0, '127.0.0.1'), 'listening')
const page = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
const server = await startServer({ cors: { origins: [page] } })
const place = {
  url: server.http,
  page,
  descriptors: await protoImage(),
  directory,
  repository: (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}
const rows: Row[] = []
const missing: string[] = []
try {
  for (const [name, judge] of Object.entries(judges)) {
    if (!name.includes(values.only)) continue
    const found = await judge(place)
    if (typeof found === 'string') missing.push(`${name}: ${found}`)
    else rows.push(...found)
  }
} finally {
  await server.close()
  pages.close()
  pages.closeAllConnections()
  await rm(directory, { recursive: true, force: true })
}
const table = tableOf(rows)
process.stdout.write(`${table}\n`)
for (const line of missing) process.stderr.write(`${line}\n`)
for (const { client, protocol, cells } of rows) {
  for (const [kind, outcome] of Object.entries(cells)) {
    if (outcome === 'works') continue
    process.stderr.write(`${client}, ${protocol}, ${kind}: ${outcome}\n`)
    process.exitCode = 1
  }
}
if (values.write && missing.length > 0) throw new Error('the table needs all clients')
if (values.write) {
  const path = join(root, 'docs/clients.md')
  await writeFile(path, withTable(await readFile(path, 'utf8'), table))
}
