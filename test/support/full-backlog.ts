import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { startNode } from './child.ts'

const listener = `
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))
`

/**
 * A port of 127.0.0.1 that completes no handshake: its process is stopped and its listen backlog is full, so the kernel
 * drops every SYN.
 */
export async function fullBacklogPort(context: TestContext): Promise<number> {
  const child = startNode('-e', listener)
  context.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  child.kill('SIGSTOP')
  for (let count = 0; count < 8; count++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    context.after(() => socket.destroy())
  }
  return port
}
