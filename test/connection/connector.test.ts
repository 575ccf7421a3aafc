/** Opening a connection has time limits of its own, for each of its steps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnector } from '../../src/connection/dial/connector.ts'
import { proxyFor } from '../../src/connection/dial/proxy.ts'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import type { BlobwireError } from '../../src/index.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import type { ConnectionOptions } from '../../src/options/types.ts'
import { listen } from '../support/tcp-server.ts'
import { settlesWithin } from '../support/until.ts'

function connector(
  endpoint: string,
  options: ConnectionOptions,
  lookup: Parameters<typeof createConnector>[0]['lookup']
) {
  const parsed = parseEndpoint(endpoint)
  const proxy = proxyFor(options.proxy, parsed)
  return createConnector({
    endpoint: parsed,
    tls: {},
    options: resolveConnection(options),
    proxy,
    lookup,
    onFailure: () => undefined
  })
}

const noLookup = () => assert.fail('an address needs no name server')

async function failsAs(opening: Promise<unknown>, reason: string, message: RegExp): Promise<void> {
  await assert.rejects(settlesWithin(opening, 10_000), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.reason, error.sent], ['unavailable', reason, 'never'])
    assert.match(error.message, message)
    return true
  })
}

test('an unanswered TLS handshake', async (context) => {
  const port = await listen(context)
  const connect = connector(`https://127.0.0.1:${port}`, { tlsHandshakeTimeoutMs: 50 }, noLookup)
  await failsAs(connect.open(true), 'connect_timeout', /no TLS handshake with 127.0.0.1:\d+ within 50 ms/)
})

test('a name server that does not answer counts as time to connect', async () => {
  const connect = connector('http://a.test:1', { connectTimeoutMs: 50 }, () => undefined)
  await failsAs(connect.open(true), 'connect_timeout', /no connection to a.test:1 within 50 ms/)
})

test('an unanswering proxy', async (context) => {
  const port = await listen(context)
  const options = { connectTimeoutMs: 60, proxy: `http://127.0.0.1:${port}` }
  await failsAs(connector('http://a.test:1', options, noLookup).open(true), 'proxy', /no answer to CONNECT within/)
})

test('a proxy that answers without HTTP, refuses, or closes', async (context) => {
  for (const [says, message] of [
    ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', /status 407 for CONNECT/],
    ['SSH-2.0-OpenSSH\r\n\r\n', /the answer to CONNECT is not HTTP/],
    ['x'.repeat(20_000), /is longer than 16384 bytes/],
    ['', /the connection ended before the answer/]
  ] as const) {
    const port = await listen(context, (socket) => (says ? socket.write(says) : socket.end()))
    await failsAs(
      connector('http://a.test:1', { proxy: `http://127.0.0.1:${port}` }, noLookup).open(true),
      'proxy',
      message
    )
  }
})

test('closing gives up connections that are being opened', async (context) => {
  const port = await listen(context)
  for (const endpoint of [`https://127.0.0.1:${port}`, 'http://a.test:1']) {
    const connect = connector(endpoint, {}, () => undefined)
    const opening = connect.open(true)
    setTimeout(() => connect.close(), 20)
    await failsAs(opening, '', /the connection was closed/)
  }
})
