/** Receive windows of both servers: 64 KiB, HTTP/2's default, would cap uploads at 3 MiB/s over 20 ms. */
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { test } from 'node:test'
import { atEnd, testServer } from '../support/server.ts'

const mebibyte = 1024 * 1024

test('both servers raise stream and connection windows', async (context) => {
  const { server } = atEnd(context, await testServer())
  for (const url of [server.http, server.grpc]) {
    const session = connect(url)
    const settings = await new Promise<{ initialWindowSize?: number }>((resolve) =>
      session.once('remoteSettings', resolve)
    )
    // The connection's window is raised by a frame of its own; an answered PING means that it has come.
    await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())))
    assert.equal(settings.initialWindowSize, 8 * mebibyte, url)
    assert.ok((session.state.remoteWindowSize ?? 0) >= 32 * mebibyte, `${url}: ${session.state.remoteWindowSize}`)
    session.close()
  }
})
