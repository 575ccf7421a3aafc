/** The TCP proxy of the other tests: each fault does what its name says, and nothing else. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { resetSocket } from '../../tcp-proxy/direction.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { atEnd } from './server.ts'
import { later, settlesWithin, until } from './until.ts'

interface Wire {
  readonly proxy: TcpProxy
  /** Both ends of a connection through the proxy. */
  join(): Promise<{ client: Socket; server: Socket }>
}

async function wire(context: TestContext): Promise<Wire> {
  const sockets: Socket[] = []
  const keep = (socket: Socket) => {
    sockets.push(socket)
    return socket.on('error', () => undefined)
  }
  const backend = createServer({ allowHalfOpen: true, noDelay: true }, keep)
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const proxy = atEnd(context, await startTcpProxy(`tcp://127.0.0.1:${(backend.address() as AddressInfo).port}`))
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    backend.close()
  })
  const join = async () => {
    const accepted = once(backend, 'connection')
    const client = keep(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }))
    const [server] = (await accepted) as [Socket]
    return { client, server }
  }
  return { proxy, join }
}

/** Reads until so many bytes are there, or the socket has ended. */
async function take(socket: Socket, count: number): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    const done = () => {
      socket.off('data', read)
      resolve(chunks)
    }
    const read = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size >= count) done()
    }
    socket.on('data', read)
    socket.once('close', done)
    socket.once('end', done)
  })
}

/** How a socket ends: by FIN, by RST, or not within so many milliseconds. */
function ending(socket: Socket, waitMs = 5000): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('open'), waitMs)
    const settle = (how: string) => {
      clearTimeout(timer)
      resolve(how)
    }
    socket.once('end', () => settle('end'))
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? ''))
    socket.resume()
  })
}

const elapsed = async (work: () => Promise<unknown>) => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

test('without faults all bytes pass both ways and are counted, and an end passes one way', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  const sent = randomBytes(3_000_000)
  client.write(sent)
  const received = Buffer.concat(await take(server, sent.length))
  assert.ok(received.equals(sent))
  client.end()
  assert.equal(await ending(server), 'end')
  server.end('bye')
  assert.equal(Buffer.concat(await take(client, 3)).toString(), 'bye')
  assert.deepEqual([proxy.connections, proxy.bytesToServer, proxy.bytesToClient], [1, sent.length, 3])
  await until(() => proxy.open === 0, 'no connection')
})

test('latency is that of one direction, and jitter keeps the order', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.setToServer({ latencyMs: 500, jitterMs: 40 })
  const there = await elapsed(async () => {
    client.write('x')
    await take(server, 1)
  })
  assert.ok(there >= 459, `${there} ms`)
  server.write('x')
  await settlesWithin(take(client, 1), 450)
  proxy.setToServer({ latencyMs: 20, jitterMs: 20 })
  const pieces = Array.from({ length: 50 }, (_, index) => `${index},`)
  const arrived = take(server, pieces.join('').length)
  for (const piece of pieces) {
    client.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(Buffer.concat(await arrived).toString(), pieces.join(''))
})

test('bandwidth is held, from 100 KB/s to what is set while bytes are under way', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.set({ bytesPerSecond: 100_000 })
  const slow = await elapsed(async () => {
    client.write(Buffer.alloc(40_000))
    await take(server, 40_000)
  })
  assert.ok(slow > 370, `${slow} ms`)
  client.write(Buffer.alloc(4_000_000))
  await take(server, 10_000)
  proxy.set({ bytesPerSecond: Number.POSITIVE_INFINITY })
  // At 100 KB/s this would take 39 s.
  await settlesWithin(take(server, 3_900_000), 20_000)
})

test('slices arrive one by one', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.setToServer({ sliceBytes: 7 })
  client.write('abcdefghijklmnopqrstuvwxyz')
  const chunks = (await take(server, 26)).map(String)
  assert.deepEqual(chunks, ['abcdefg', 'hijklmn', 'opqrstu', 'vwxyz'])
})

test('a partition lets nothing pass, neither bytes nor ends; healing lets all of it pass, in order', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.partition()
  client.write('one ')
  client.end('two')
  const arrived = take(server, 7)
  assert.equal(await ending(client, 100), 'open')
  assert.equal(proxy.bytesToServer, 0)
  const late = await join()
  late.client.write('late')
  proxy.heal()
  assert.equal(Buffer.concat(await arrived).toString(), 'one two')
  assert.equal(Buffer.concat(await take(late.server, 4)).toString(), 'late')
})

test('a reset passes as a reset', async (context) => {
  const { join } = await wire(context)
  const { client, server } = await join()
  client.resetAndDestroy()
  assert.equal(await ending(server), 'ECONNRESET')
})

test('a socket whose FIN is on its way is reset after it, and closed', async (context) => {
  const { join } = await wire(context)
  const { client } = await join()
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  const closed = once(client, 'close')
  client.end()
  // Now Node shuts the socket down: a reset would fail with EINVAL, and leave it open for ever.
  await new Promise(process.nextTick)
  resetSocket(client)
  await settlesWithin(closed, 2000)
  assert.deepEqual(errors, [])
})

for (const how of ['reset', 'cut'] as const) {
  const expected = how === 'reset' ? 'ECONNRESET' : 'end'

  test(`${how} now ends all connections on both sides`, async (context) => {
    const { proxy, join } = await wire(context)
    const links = [await join(), await join()]
    const ends = links.flatMap(({ client, server }) => [ending(client), ending(server)])
    proxy[how]()
    assert.deepEqual(await Promise.all(ends), Array(4).fill(expected))
  })

  test(`${how} after 1,000 bytes of one direction: exactly those arrive, on each connection`, async (context) => {
    const { proxy, join } = await wire(context)
    proxy.setToClient(how === 'reset' ? { resetAfterBytes: 1000 } : { cutAfterBytes: 1000 })
    const sent = randomBytes(5000)
    for (let turn = 0; turn < 2; turn++) {
      const { client, server } = await join()
      client.write(Buffer.alloc(3000))
      await take(server, 3000)
      const chunks: Buffer[] = []
      client.on('data', (chunk: Buffer) => chunks.push(chunk))
      const ends = Promise.all([ending(client), ending(server)])
      server.write(sent)
      const [atClient, atServer] = await ends
      assert.equal(atServer, expected)
      // Node 22 tells a reader of the reset as of an end.
      if (atClient !== expected) assert.ok(atClient === 'end' && /^v22\./.test(process.version), `${atClient}`)
      assert.ok(Buffer.concat(chunks).equals(sent.subarray(0, 1000)))
    }
  })
}

test('refuse() refuses new connections, open ones go on, and the same port accepts again', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.refuse()
  const refused = connect(proxy.port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
  client.write('still')
  assert.equal(Buffer.concat(await take(server, 5)).toString(), 'still')
  await proxy.accept()
  await join()
  assert.equal(proxy.connections, 2)
})

test('half-open: the server is gone, and the client does not know', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  const gone = ending(server)
  proxy.halfOpen()
  assert.equal(await gone, 'ECONNRESET')
  client.write('anybody there?')
  assert.equal(await ending(client, 100), 'open')
})

test('a silent connection is accepted and never answered, and the server does not see it', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.silent = true
  const silent = connect(proxy.port, '127.0.0.1', () => silent.write('anybody there?'))
  assert.equal(await ending(silent, 100), 'open')
  assert.deepEqual([proxy.connections, proxy.open, `${proxy.heads[1]}`], [2, 2, 'anybody there?'])
  client.write('an older connection goes on')
  assert.equal(Buffer.concat(await take(server, 27)).toString(), 'an older connection goes on')
  silent.end()
  await until(() => proxy.open === 1, 'the silent connection closed')
})

test('no server behind the proxy: the client is reset', async (context) => {
  const { proxy, join } = await wire(context)
  await join()
  proxy.target = 'tcp://127.0.0.1:1'
  const client = connect(proxy.port, '127.0.0.1')
  assert.equal(await ending(client), 'ECONNRESET')
})

test('a receiver that does not read stops the sender: little is held on the way', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  server.pause()
  const chunk = randomBytes(1_000_000)
  const hash = createHash('sha1')
  for (let count = 0; count < 40; count++) {
    client.write(chunk)
    hash.update(chunk)
  }
  // Kernel buffers of two connections, and the bytes that the proxy holds.
  while (proxy.bytesToServer === 0) await new Promise((resolve) => setImmediate(resolve))
  await later(100)
  assert.ok(client.writableLength > 5_000_000, `${client.writableLength} bytes wait at the sender`)
  client.end()
  const received = createHash('sha1')
  for await (const part of server) received.update(part as Buffer)
  assert.equal(received.digest('hex'), hash.digest('hex'))
})

test('the end of the proxy closes everything', async (context) => {
  const { proxy, join } = await wire(context)
  const { client, server } = await join()
  proxy.partition()
  client.write('held')
  const ends = Promise.all([ending(client), ending(server)])
  await proxy[Symbol.asyncDispose]()
  for (const how of await ends) assert.notEqual(how, 'open')
  assert.equal(proxy.open, 0)
})
