/** Clients that flood, hoard or dawdle: they are cut off or bounded, and everybody else is served in time. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { type Client, createClient } from '../../src/index.ts'
import { type Frame, flags, frameBytes, frameReader, frameTypes, headerBlock, preface } from '../support/raw-http2.ts'

/** How long each attack goes on where the server does not end it. */
const attackMs = 800

const listeners = ['http', 'grpc'] as const
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

const requestBlock = (listener: (typeof listeners)[number]) =>
  headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', '127.0.0.1'],
    [':path', '/blobwire.v1.VcsService/GetRepository'],
    ['content-type', contentTypes[listener]],
    ['te', 'trailers']
  ])

interface Attack {
  readonly name: string
  /** One step; ever greater numbers for streams are `step`'s to make. */
  step(listener: (typeof listeners)[number], step: number): Frame[]
  /** It does not read what the server sends. */
  readonly isDeaf?: boolean
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
    step(listener, step) {
      const payload = requestBlock(listener)
      return times((index) => streamOf(step, index)).flatMap((stream) => [
        { type: frameTypes.headers, flags: flags.endHeaders, stream, payload },
        { type: frameTypes.rstStream, stream, payload: Buffer.from([0, 0, 0, 8]) }
      ])
    },
    isEnded: true
  },
  {
    name: 'streams that are opened and never ended, as many as it likes',
    step(listener, step) {
      const payload = requestBlock(listener)
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
    isDeaf: true,
    isEnded: true
  },
  {
    name: 'SETTINGS flood, answers unread',
    step: () => lots({ type: frameTypes.settings, payload: Buffer.from([0, 3, 0, 0, 0, 100]) }),
    isDeaf: true,
    isEnded: true
  },
  {
    name: 'CONTINUATION flood',
    step(listener, step) {
      const payload = headerBlock([['x-a', 'v'.repeat(500)]])
      const first = { type: frameTypes.headers, stream: 1, payload: requestBlock(listener) }
      const more = times(() => ({ type: frameTypes.continuation, stream: 1, payload }))
      return step === 0 ? [first, ...more] : more
    },
    isEnded: true
  },
  {
    name: 'flood of empty DATA',
    step(listener, step) {
      const first = { type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload: requestBlock(listener) }
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
    name: 'a frame above the largest that is allowed',
    step: () => [{ type: frameTypes.data, stream: 1, payload: Buffer.alloc(1 << 20) }],
    isEnded: true
  },
  {
    name: 'answers that are never read',
    step(listener, step) {
      const payload = requestBlock(listener)
      if (step >= 10) return []
      return times((index) => ({
        type: frameTypes.headers,
        flags: flags.endHeaders | flags.endStream,
        stream: streamOf(step, index),
        payload
      }))
    },
    isDeaf: true,
    isEnded: false
  }
]

const megabytes = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

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

  /** Calls of others while the attack goes on: how long each took, in milliseconds, in order. */
  async function others(goesOn: () => boolean): Promise<number[]> {
    const took: number[] = []
    const worker = async (client: Client) => {
      while (goesOn()) {
        const began = performance.now()
        await client.storeBlob('demo', `${began}`)
        took.push(performance.now() - began)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    await Promise.all(clients.map(worker))
    return took.sort((a, b) => a - b)
  }

  for (const listener of listeners) {
    for (const { name, step, isDeaf, isEnded } of attacks) {
      test(`${listener}: ${name}`, async (context) => {
        const peer = await attacker(context, Number((listener === 'http' ? server.http : server.grpc).port))
        if (isDeaf) peer.socket.pause()
        const before = megabytes(server.pid)
        const began = performance.now()
        let goesOn = true
        const served = others(() => goesOn)
        for (let count = 0; !peer.over && performance.now() - began < attackMs; count++) {
          await peer.write(step(listener, count))
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        goesOn = false
        const took = await served
        const p99 = took[Math.floor(took.length * 0.99)] ?? 0
        const grown = megabytes(server.pid) - before
        assert.ok(took.length > 0 && p99 < 1000, `p99 of others: ${p99} ms`)
        assert.ok(grown < 100, `${grown} MB`)
        if (isEnded) assert.ok(peer.over, 'the connection is ended')
      })
    }
  }
})
