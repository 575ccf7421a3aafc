/**
 * `npm run soak:refusals -- [--refusals N] [--client NAME]…`: has a server refuse N requests (20,000 by default) with bodies
 * of 0 B to 1 MB, without reading the bodies, over h2c, TLS and HTTP/1.1, for blobwire, curl, Go, Python, nginx and HAProxy.
 * Prints lost/total for each client, and the clients that this machine lacks. Exits with 1 where a refusal was lost.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { startServerProcess } from '../../server-fixture/process.ts'
import { blobwire, blobwireGrpc } from './blobwire.ts'
import { curl } from './curl.ts'
import { go, goGrpc } from './go.ts'
import { proxies } from './proxies.ts'
import { pythons } from './python.ts'
import { bodyBytes, bodyFile, type SoakClient, type Tally, type Target, type Wire, wires } from './refusals.ts'

const { values } = parseArgs({
  options: { refusals: { type: 'string', default: '20000' }, client: { type: 'string', multiple: true } }
})
const refusals = Number(values.refusals)
if (!(Number.isInteger(refusals) && refusals >= 100 && refusals <= 1_000_000)) {
  throw new Error(`--refusals ${values.refusals}: must be from 100 to 1000000`)
}
const clients = [blobwire, blobwireGrpc, curl, go, goGrpc, ...pythons, ...proxies].filter(
  ({ name }) => values.client?.some((text) => name.toLowerCase().includes(text.toLowerCase())) ?? true
)
const print = (line: string) => process.stdout.write(`${line}\n`)
const present = clients.filter(({ missing }) => missing === undefined)
if (present.length === 0) throw new Error(`--client ${values.client}: no client has this name, or all are missing`)

const tlsFile = (name: string) => fileURLToPath(new URL(`../../test/support/tls/${name}`, import.meta.url))

async function writeBodies(directory: string): Promise<void> {
  // nginx works as another user when root starts it.
  await chmod(directory, 0o711)
  for (const bytes of bodyBytes) {
    await writeFile(bodyFile(directory, bytes), Buffer.alloc(bytes, 0x20))
    // As long as the others: base64 has four characters for three bytes.
    const content = Buffer.alloc(Math.floor((bytes * 3) / 4)).toString('base64')
    await writeFile(`${bodyFile(directory, bytes)}.json`, JSON.stringify({ repository: 'demo', content }))
  }
}

async function run(): Promise<Map<SoakClient, Map<Wire, Tally>>> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-refusals-'))
  const tallies = new Map<SoakClient, Map<Wire, Tally>>()
  const flags = ['--token', 'good']
  const cleartext = await startServerProcess(...flags)
  const secure = await startServerProcess(
    ...flags,
    ...['--tls-cert', tlsFile('server.pem'), '--tls-key', tlsFile('server.key')]
  )
  const weights = present.reduce((sum, { weight, wires: own }) => sum + weight * own.length, 0)
  try {
    await writeBodies(directory)
    for (const client of present) {
      const own = new Map<Wire, Tally>()
      tallies.set(client, own)
      for (const wire of client.wires) {
        const { http: url, grpc } = wire === 'TLS' ? secure : cleartext
        const target: Target = { wire, url, grpc, ca: tlsFile('ca.pem'), directory }
        const start = performance.now()
        const tally = await client.refuse(target, Math.ceil((refusals * client.weight) / weights))
        own.set(wire, tally)
        const seconds = ((performance.now() - start) / 1000).toFixed(1)
        print(`${client.name}, ${wire}: ${tally.lost} of ${tally.total} lost, ${seconds} s`)
        if (tally.example !== undefined) print(`  ! ${tally.example.trim().slice(0, 500)}`)
      }
    }
  } finally {
    await Promise.all([cleartext.stop(), secure.stop()])
    await rm(directory, { recursive: true, force: true })
  }
  return tallies
}

const tallies = await run()
const all = [...tallies.values()].flatMap((own) => [...own.values()])
const sum = (key: 'lost' | 'total') => all.reduce((total, tally) => total + tally[key], 0)
const table = new Table({ head: ['client', ...wires], style: { head: [], border: [] } })
for (const client of clients) {
  const cell = (wire: Wire) => {
    const tally = tallies.get(client)?.get(wire)
    return tally ? `${tally.lost} of ${tally.total}` : '-'
  }
  table.push([client.name, ...(client.missing === undefined ? wires.map(cell) : ['MISSING', 'MISSING', 'MISSING'])])
}
print(table.toString())
for (const { name, missing } of clients) if (missing !== undefined) print(`not judged: ${name}, which needs ${missing}`)
print(`lost ${sum('lost')} of ${sum('total')}`)
if (sum('lost') > 0) process.exitCode = 1
