/** Servers that flood, lie about lengths or never end: the call ends with a typed error, the process lives, others are served. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startNode } from '../support/child.ts'
import type { Order, Report } from '../support/crash-child.ts'
import {
  flags,
  frameBytes,
  frameTypes,
  headerBlock,
  headerBomb,
  type RawPeer,
  type RawServer,
  startRawServer
} from '../support/raw-http2.ts'
import { atEnd } from '../support/server.ts'

/** Long enough to see that the deadline of the call ends it. */
const shortTimeoutMs = 600
/** So long that the client itself has to end the call. */
const longTimeoutMs = 20_000
const floodMs = 5000
const maxResponseBytes = 1_000_000

/** A client in another process, which an attack may take down. */
class CrashChild {
  readonly #child: ReturnType<typeof startNode>
  readonly #lines: AsyncIterator<string>

  constructor() {
    const script = fileURLToPath(new URL('../support/crash-child.ts', import.meta.url))
    this.#child = startNode(script)
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async next(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the client's process is gone: ${this.#child.exitCode ?? this.#child.signalCode}`)
    return value
  }

  async call(order: Order): Promise<Report> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    return JSON.parse(await this.next())
  }

  async end(): Promise<void> {
    this.#child.kill()
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }
}

interface Attack {
  readonly name: string
  run(peer: RawPeer, stream: number, kind: string): Promise<void>
  /** Codes that the call may end with. */
  readonly codes: readonly string[]
  /** The client has to close the connection. */
  readonly closes: boolean
  /** The only way in which the attack is tried; both ways unless said. */
  readonly way?: 'single'
  /** Node hands each frame to the program, which cannot prevent that: only the deadline bounds the cost. */
  readonly isCostly?: boolean
}

/** So many of the same frames in one write. */
const many = (bytes: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => bytes))

async function flood(peer: RawPeer, bytes: Buffer): Promise<void> {
  const endsAt = performance.now() + floodMs
  while (!peer.over && performance.now() < endsAt) {
    await peer.write(bytes)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const contentTypes: Record<string, string> = {
  'msgpack single': 'application/msgpack',
  'msgpack session': 'application/connect+msgpack',
  'grpc single': 'application/grpc',
  'grpc session': 'application/grpc'
}

const okHeaders = (stream: number, kind: string) =>
  frameBytes({
    type: frameTypes.headers,
    flags: flags.endHeaders,
    stream,
    payload: headerBlock([
      [':status', '200'],
      ['content-type', contentTypes[kind] as string]
    ])
  })

const attacks: Attack[] = [
  {
    name: 'PING flood, answers unread',
    async run(peer) {
      peer.socket.pause()
      await flood(peer, many(frameBytes({ type: frameTypes.ping, payload: Buffer.alloc(8) }), 500))
    },
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'SETTINGS flood, answers unread',
    async run(peer) {
      peer.socket.pause()
      await flood(
        peer,
        many(frameBytes({ type: frameTypes.settings, payload: Buffer.from([0, 3, 0, 0, 0, 100]) }), 500)
      )
    },
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'CONTINUATION flood',
    async run(peer, stream) {
      await peer.write(frameBytes({ type: frameTypes.headers, stream, payload: headerBlock([[':status', '200']]) }))
      const payload = headerBlock(Array.from({ length: 20 }, (_, index) => [`x-${index}`, 'v'.repeat(50)]))
      await flood(peer, many(frameBytes({ type: frameTypes.continuation, stream, payload }), 20))
    },
    codes: ['unavailable', 'resource_exhausted'],
    closes: true
  },
  {
    name: 'flood of empty CONTINUATIONs',
    async run(peer, stream) {
      await peer.write(frameBytes({ type: frameTypes.headers, stream, payload: headerBlock([[':status', '200']]) }))
      await flood(peer, many(frameBytes({ type: frameTypes.continuation, stream }), 500))
    },
    codes: ['unavailable', 'resource_exhausted'],
    closes: true
  },
  {
    name: 'flood of empty DATA',
    async run(peer, stream, kind) {
      await peer.write(okHeaders(stream, kind))
      await flood(peer, many(frameBytes({ type: frameTypes.data, stream }), 500))
    },
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'flood of 103 answers',
    async run(peer, stream) {
      const payload = headerBlock([[':status', '103']])
      await flood(peer, many(frameBytes({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload }), 100))
    },
    codes: ['unavailable', 'deadline_exceeded'],
    closes: false,
    isCostly: true
  },
  {
    name: 'PUSH_PROMISE flood',
    async run(peer, stream) {
      for (let promised = 2; !peer.over && promised < 4000; promised += 2) {
        const id = Buffer.alloc(4)
        id.writeUInt32BE(promised)
        const fields = headerBlock([
          [':method', 'GET'],
          [':scheme', 'http'],
          [':authority', 'x'],
          [':path', '/']
        ])
        const payload = Buffer.concat([id, fields])
        await peer.write(frameBytes({ type: frameTypes.pushPromise, flags: flags.endHeaders, stream, payload }))
      }
    },
    codes: ['unavailable', 'deadline_exceeded'],
    closes: false
  },
  {
    name: 'a frame above the largest that was allowed',
    async run(peer, stream, kind) {
      await peer.write(okHeaders(stream, kind))
      await peer.write(frameBytes({ type: frameTypes.data, stream, payload: Buffer.alloc(1 << 20) }))
    },
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'a header block that is not HPACK',
    run: (peer, stream) =>
      peer.write(
        frameBytes({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload: Buffer.alloc(40, 0xff) })
      ),
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'DATA on a stream that nobody opened',
    run: (peer) => peer.write(frameBytes({ type: frameTypes.data, stream: 12_345, payload: Buffer.alloc(10) })),
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'noise',
    run: (peer) => peer.write(Buffer.alloc(50_000, 0xa5)),
    codes: ['unavailable'],
    closes: true
  },
  {
    name: 'headers of 100 KB',
    async run(peer, stream) {
      const payload = headerBlock(Array.from({ length: 4 }, (_, index) => [`x-${index}`, 'v'.repeat(4000)]))
      await peer.write(frameBytes({ type: frameTypes.headers, stream, payload: headerBlock([[':status', '200']]) }))
      for (let count = 1; count <= 6; count++) {
        const last = count === 6 ? flags.endHeaders : 0
        await peer.write(frameBytes({ type: frameTypes.continuation, flags: last, stream, payload }))
      }
    },
    // node:http2 drops the answer without a word, and leaves the stream open.
    codes: ['resource_exhausted', 'unavailable', 'deadline_exceeded'],
    closes: false,
    way: 'single'
  },
  {
    name: 'headers of 40 MB in 15 KB',
    async run(peer, stream) {
      const payload = headerBomb([[':status', '200']])
      await peer.write(frameBytes({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload }))
    },
    codes: ['resource_exhausted', 'unavailable', 'deadline_exceeded'],
    closes: false,
    way: 'single'
  },
  {
    name: 'a body without end',
    async run(peer, stream, kind) {
      await peer.write(okHeaders(stream, kind))
      // A message that says it has 2^31 bytes, for those that have lengths.
      const head = kind.startsWith('msgpack single') ? [] : [0, 0x7f, 0xff, 0xff, 0xff]
      await peer.write(frameBytes({ type: frameTypes.data, stream, payload: Buffer.from(head) }))
      await flood(peer, many(frameBytes({ type: frameTypes.data, stream, payload: Buffer.alloc(16_000) }), 4))
    },
    codes: ['resource_exhausted'],
    closes: false
  }
]

async function judge(context: TestContext, child: CrashChild, kind: string): Promise<void> {
  const [transport, way] = kind.split(' ') as ['msgpack' | 'grpc', string]
  for (const { name, run, codes, closes, isCostly } of attacks.filter((attack) => (attack.way ?? way) === way)) {
    await context.test(name, async (inner) => {
      const server: RawServer = atEnd(inner, await startRawServer())
      server.attack = (peer, stream) => run(peer, stream, kind)
      const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${server.port}`
      const single = way === 'single'
      const timeoutMs = codes.includes('deadline_exceeded') ? shortTimeoutMs : longTimeoutMs
      const report = await child.call({ endpoint, transport, single, timeoutMs, maxResponseBytes, closes })
      assert.ok(codes.includes(report.code), JSON.stringify(report))
      assert.ok(report.blockedMs < (isCostly ? 1500 : 200), `the event loop was blocked for ${report.blockedMs} ms`)
      assert.ok(report.grownBytes < (isCostly ? 256 : 64) * 1024 * 1024, `${report.grownBytes} bytes`)
      assert.ok(report.messageLength < 5000)
      if (closes) assert.equal(report.open, 0, 'the connection is closed')
    })
  }
}

describe('a hostile server', () => {
  let child: CrashChild
  before(async () => {
    child = new CrashChild()
    assert.equal(await child.next(), 'ready')
  })
  after(() => child.end())
  for (const kind of Object.keys(contentTypes)) test(kind, (context) => judge(context, child, kind))
})
