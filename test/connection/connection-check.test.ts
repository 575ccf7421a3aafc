/** A connection counts only where a server answers on it: kernels and proxies accept for servers that are not there. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ConnectionCheck } from '../../src/connection/dial/connection-check.ts'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import type { TlsOptions } from '../../src/options/types.ts'
import { pem } from '../support/pem.ts'
import { atEnd, testServer } from '../support/server.ts'
import { settlesWithin, until } from '../support/until.ts'

function checkOf(context: TestContext, url: string, tls: TlsOptions = {}): ConnectionCheck {
  const check = new ConnectionCheck({ endpoint: parseEndpoint(url), tls, connection: resolveConnection({}) })
  context.after(() => check.close())
  return check
}

async function listening(context: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the fixture answers on both ports, and over TLS', async (context) => {
  const plain = atEnd(context, await testServer())
  const tls = { cert: pem('server.pem'), key: pem('server.key') }
  const secured = atEnd(context, await testServer({ tls }))
  const ca = { ca: pem('ca.pem') }
  for (const url of [plain.server.http, plain.server.grpc.replace('http', 'grpc')]) {
    assert.equal(await checkOf(context, url).canConnect(), true, url)
  }
  const grpcs = secured.server.grpc.replace('https', 'grpcs')
  for (const url of [secured.server.http, grpcs]) {
    assert.equal(await checkOf(context, url, ca).canConnect(), true, url)
    assert.equal(await checkOf(context, url).canConnect(), false, `${url}, whose authority is not trusted`)
  }
})

test('a server of HTTP/1.1 answers, too', async (context) => {
  const url = await listening(context, createHttpServer())
  assert.equal(await checkOf(context, url).canConnect(), true)
})

test('nobody listens, accepts and closes, or accepts and says nothing: no connection, and no socket is left', async (context) => {
  const sockets = new Set<Socket>()
  const accept = (onSocket: (socket: Socket) => void) =>
    createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
      socket.resume()
      onSocket(socket)
    })
  const closing = checkOf(
    context,
    await listening(
      context,
      accept((socket) => socket.destroy())
    )
  )
  assert.equal(await closing.canConnect(), false)
  const silent = checkOf(
    context,
    await listening(
      context,
      accept(() => undefined)
    )
  )
  assert.equal(await settlesWithin(silent.canConnect(), 2500), false)
  const free = createServer()
  const url = await listening(context, free)
  free.close()
  assert.equal(await checkOf(context, url).canConnect(), false)
  const waiting = silent.canConnect()
  await until(() => sockets.size > 0, 'a connection')
  silent.close()
  assert.equal(await waiting, false)
  await until(() => sockets.size === 0, 'all closed')
})
