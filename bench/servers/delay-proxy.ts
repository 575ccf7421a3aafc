/** A TCP proxy that adds half of a round trip to each direction: `delay-proxy.ts TARGET_PORT ROUND_TRIP_MS`. */
import { connect, createServer, type Socket } from 'node:net'
import { announce } from './blob-map.ts'

const target = Number(process.argv[2])
const halfMs = Number(process.argv[3]) / 2

/** Passes chunks on when they are due, in order, with one timer for all that wait. */
function forward(from: Socket, to: Socket): void {
  const waiting: { chunk: Buffer; dueMs: number }[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    timer = undefined
    for (let first = waiting[0]; first !== undefined && first.dueMs <= performance.now(); first = waiting[0]) {
      waiting.shift()
      to.write(first.chunk)
    }
    const next = waiting[0]
    if (next !== undefined) timer = setTimeout(flush, Math.max(0, next.dueMs - performance.now()))
  }
  from.on('data', (chunk: Buffer) => {
    if (halfMs === 0) return void to.write(chunk)
    waiting.push({ chunk, dueMs: performance.now() + halfMs })
    if (timer === undefined) timer = setTimeout(flush, halfMs)
  })
  from.on('close', () => to.destroy())
  from.on('error', () => to.destroy())
}

const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
  forward(near, far)
  forward(far, near)
})
server.listen(0, '127.0.0.1', () => announce(server.address()))
