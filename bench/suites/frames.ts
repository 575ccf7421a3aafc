/** Frames of calls that are not alike: with headers of their own, and over many repositories. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { type BlobStorer, contents, type Load, loaded } from '../measure/load.ts'
import { PackCounter } from '../measure/packs.ts'
import type { Suite } from '../measure/scenario.ts'

const callers = 100
const ringHeaders = 4096
const load: Load = { concurrency: callers, content: contents(50), unit: 'calls/s' }

type Transport = 'json' | 'msgpack' | 'grpc'

interface Mix {
  readonly transport: Transport
  readonly store?: 'memory' | 'git'
  readonly repositories?: number
  /** Each call has a `traceparent` of its own. */
  readonly isTraced?: boolean
}

async function mixed({ transport, store = 'memory', repositories = 1, isTraced = false }: Mix): Promise<BlobStorer> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const server = await startServerProcess(...(store === 'git' ? ['--store', store, '--data', directory] : []))
  const endpoint = transport === 'grpc' ? `grpc://${server.grpc.host}` : server.http.origin
  const client = createClient({ endpoint, transport })
  const names = Array.from({ length: repositories }, (_unused, index) => `bench-${index}`)
  await Promise.all(names.map((name) => client.createRepository(name)))
  const all = names.map((name) => client.repository(name))
  const packs = store === 'git' ? new PackCounter(names.map((name) => join(directory, `${name}.git`))) : undefined
  let calls = 0
  /** Time with calls under way: between rounds there are none. */
  let busyMs = 0
  let waiting = 0
  // Made before, because making them would be measured: others than any under way, and other objects.
  const traced = Array.from({ length: ringHeaders }, (_unused, index) => {
    const id = (index + 1).toString(16)
    return `00-${id.padStart(32, '0')}-${id.padStart(16, '0')}-01`
  })
  return {
    store(content) {
      const repository = all[++calls % repositories] as (typeof all)[number]
      const stored = repository.storeBlob(
        content,
        isTraced ? { headers: { traceparent: traced[calls % ringHeaders] as string } } : undefined
      )
      if (packs === undefined) return stored
      if (waiting++ === 0) busyMs -= performance.now()
      return stored.finally(() => {
        if (--waiting === 0) busyMs += performance.now()
      })
    },
    facts() {
      const { frames, framedOperations, bytesSent, requests } = client.stats()
      const perFrame = frames ? Math.round(framedOperations / frames) : 1
      const about = { 'operations a frame': perFrame, 'bytes sent a call': Math.round(bytesSent / calls), requests }
      if (packs === undefined) return about
      const round = (value: number) => Number(value.toPrecision(3))
      return { ...about, 'packs a call': round(packs.count / calls), 'ms a pack': round(busyMs / packs.count) }
    },
    async close() {
      packs?.close()
      await client.close()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** Calls with a `traceparent` of their own beside calls without headers. */
export const headers: Suite = {
  name: 'headers',
  about: `One storeBlob a call, ${callers} callers, with a traceparent of its own and without.`,
  scenarios: () =>
    (['msgpack', 'json', 'grpc'] as const).map((transport) => ({
      suite: 'headers',
      name: `storeBlob with a traceparent a call, ${transport}, concurrency ${callers}`,
      unit: load.unit,
      better: 'more',
      baseline: 'without headers',
      contenders: [
        loaded('without headers', load, () => mixed({ transport })),
        loaded('a traceparent a call', load, () => mixed({ transport, isTraced: true }))
      ]
    }))
}

/** Calls over many repositories beside calls of one. */
export const repositories: Suite = {
  name: 'repositories',
  about: `One storeBlob a call, ${callers} callers, over 50 repositories and over one.`,
  scenarios: () =>
    (['memory', 'git'] as const).map((store) => ({
      suite: 'repositories',
      name: `storeBlob over 50 repositories, ${store} store, concurrency ${callers}`,
      unit: load.unit,
      better: 'more',
      baseline: 'one repository',
      contenders: [
        loaded('one repository', load, () => mixed({ transport: 'msgpack', store })),
        loaded('50 repositories', load, () => mixed({ transport: 'msgpack', store, repositories: 50 }))
      ]
    }))
}
