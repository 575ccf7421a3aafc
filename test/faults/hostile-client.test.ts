/** Clients that flood, hoard or dawdle: they are cut off or bounded, and everybody else is served in time. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { type Client, createClient } from '../../src/index.ts'
import {
  type Frame,
  flags,
  frameBytes,
  frameReader,
  frameTypes,
  headerBlock,
  headerBomb,
  preface
} from '../support/raw-http2.ts'
import { later } from '../support/until.ts'

/** The time of an attack that the server does not end. */
const attackMs = 800

const protocols = ['http', 'grpc'] as const
const contentTypes = { http: 'application/json', grpc: 'application/grpc' } as const

/** The attacker's connection. */
interface Attacker {
  readonly socket: Socket
  readonly over: boolean
  /** Frames that came, by their type. */
  readonly received: Map<number, number>
  write(frames: readonly Frame[]): Promise<void>
}

async function attacker(context: TestContext, port: number): Promise<Attacker> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  context.after(() => socket.destroy())
  const received = new Map<number, number>()
  socket.on(
    'data',
    frameReader(({ type }) => received.set(type, (received.get(type) ?? 0) + 1), false)
  )
  const self: Attacker = {
    socket,
    get over() {
      return socket.destroyed || socket.readableEnded
    },
    received,
    async write(frames) {
      if (socket.destroyed || socket.write(Buffer.concat(frames.map(frameBytes)))) return
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve)
        socket.once('close', () => resolve())
      })
    }
  }
  socket.write(preface)
  await self.write([{ type: frameTypes.settings }])
  return self
}

const requestFields = (protocol: (typeof protocols)[number]): [string, string][] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':authority', '127.0.0.1'],
  [':path', '/blobwire.v1.VcsService/GetRepository'],
  ['content-type', contentTypes[protocol]],
  ['te', 'trailers']
]
const requestBlock = (protocol: (typeof protocols)[number]) => headerBlock(requestFields(protocol))

interface Attack {
  readonly name: string
  /** One step; ever greater numbers for streams are `step`'s to make. */
  step(protocol: (typeof protocols)[number], step: number): Frame[]
  /** The attacker reads nothing from the server. */
  readonly readsNothing?: boolean
  /** The server ends the connection by itself. */
  readonly isEnded: boolean
}

const perStep = 100
/** Streams of clients have odd numbers. */
const streamOf = (step: number, index: number) => 2 * (step * perStep + index) + 1
const times = <T>(make: (index: number) => T) => Array.from({ length: perStep }, (_, index) => make(index))
/** As many as fill the kernel's buffers with their answers, and then the server's. */
const lots = (frame: Frame): Frame[] => Array.from({ length: 4000 }, () => frame)

const attacks: Attack[] = [
  {
    name: 'rapid reset',
    step(protocol, step) {
      const payload = requestBlock(protocol)
      return times((index) => streamOf(step, index)).flatMap((stream) => [
        { type: frameTypes.headers, flags: flags.endHeaders, stream, payload },
        { type: frameTypes.rstStream, stream, payload: Buffer.from([0, 0, 0, 8]) }
      ])
    },
    isEnded: true
  },
  {
    name: 'streams that are opened and never ended, as many as it likes',
    step(protocol, step) {
      const payload = requestBlock(protocol)
      if (step >= 50) return []
      return times((index) => ({
        type: frameTypes.headers,
        flags: flags.endHeaders,
        stream: streamOf(step, index),
        payload
      }))
    },
    isEnded: false
  },
  {
    name: 'PING flood, answers unread',
    step: () => lots({ type: frameTypes.ping, payload: Buffer.alloc(8) }),
    readsNothing: true,
    isEnded: true
  },
  {
    name: 'SETTINGS flood, answers unread',
    step: () => lots({ type: frameTypes.settings, payload: Buffer.from([0, 3, 0, 0, 0, 100]) }),
    readsNothing: true,
    isEnded: true
  },
  {
    name: 'CONTINUATION flood',
    step(protocol, step) {
      const payload = headerBlock([['x-a', 'v'.repeat(500)]])
      const first = { type: frameTypes.headers, stream: 1, payload: requestBlock(protocol) }
      const more = times(() => ({ type: frameTypes.continuation, stream: 1, payload }))
      return step === 0 ? [first, ...more] : more
    },
    isEnded: true
  },
  {
    name: 'flood of empty DATA',
    step(protocol, step) {
      const first = { type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload: requestBlock(protocol) }
      const more = times(() => ({ type: frameTypes.data, stream: 1 }))
      return step === 0 ? [first, ...more] : more
    },
    isEnded: true
  },
  {
    name: 'a header block that is not HPACK',
    step: () => [{ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload: Buffer.alloc(40, 0xff) }],
    isEnded: true
  },
  {
    name: 'headers of 40 MB in 15 KB',
    step(protocol, step) {
      const payload = headerBomb(requestFields(protocol))
      return times((index) => ({
        type: frameTypes.headers,
        flags: flags.endHeaders | flags.endStream,
        stream: streamOf(step, index),
        payload
      }))
    },
    isEnded: false
  },
  {
    name: 'a frame above the largest that is allowed',
    step: () => [{ type: frameTypes.data, stream: 1, payload: Buffer.alloc(1 << 20) }],
    isEnded: true
  },
  {
    name: 'answers that are never read',
    step(protocol, step) {
      const payload = requestBlock(protocol)
      if (step >= 10) return []
      return times((index) => ({
        type: frameTypes.headers,
        flags: flags.endHeaders | flags.endStream,
        stream: streamOf(step, index),
        payload
      }))
    },
    readsNothing: true,
    isEnded: false
  }
]

const megabytes = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** CPU time of the main thread so far: a busy machine does not add to it, work for an attacker does. */
const cpuMs = (pid: number) => Number.parseInt(readFileSync(`/proc/${pid}/schedstat`, 'utf8'), 10) / 1e6

describe('a hostile client', () => {
  let server: ServerProcess
  const clients: Client[] = []
  before(async () => {
    server = await startServerProcess()
    clients.push(
      createClient({ endpoint: server.http.href }),
      createClient({ endpoint: server.grpc.href.replace(/^http/, 'grpc'), transport: 'grpc' })
    )
    await clients[0]?.createRepository('demo')
    for (const client of clients) await client.getRepository('demo')
  })
  after(async () => {
    for (const client of clients) await client.close()
    await server.stop()
  })

  /** Calls of others while the attack goes on: the CPU time of the server meanwhile, in milliseconds, sorted. */
  async function others(goesOn: () => boolean): Promise<number[]> {
    const took: number[] = []
    const worker = async (client: Client) => {
      while (goesOn()) {
        const began = cpuMs(server.pid)
        await client.storeBlob('demo', `${began}`)
        took.push(cpuMs(server.pid) - began)
        await later(5)
      }
    }
    await Promise.all(clients.map(worker))
    return took.sort((a, b) => a - b)
  }

  for (const protocol of protocols) {
    for (const { name, step, readsNothing, isEnded } of attacks) {
      test(`${protocol}: ${name}`, async (context) => {
        const peer = await attacker(context, Number((protocol === 'http' ? server.http : server.grpc).port))
        if (readsNothing) peer.socket.pause()
        const before = megabytes(server.pid)
        const endsAt = performance.now() + (isEnded ? 30_000 : attackMs)
        let goesOn = true
        const served = others(() => goesOn)
        for (let count = 0; !peer.over && performance.now() < endsAt; count++) {
          await peer.write(step(protocol, count))
          await later(1)
        }
        goesOn = false
        const took = await served
        const p99 = took[Math.floor(took.length * 0.99)] ?? 0
        const grown = megabytes(server.pid) - before
        assert.ok(took.length > 0 && p99 < 1000, `p99 of others: ${p99} ms of CPU time`)
        assert.ok(grown < 100, `${grown} MB`)
        if (isEnded) assert.ok(peer.over, 'the connection is ended')
      })
    }
  }
})
