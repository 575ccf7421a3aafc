/** A TCP proxy that adds half of a round trip to each direction: `delay-proxy.ts TARGET_PORT ROUND_TRIP_MS [exact]`. */
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { announce } from './blob-map.ts'

const [port, roundTripMs, exact] = process.argv.slice(2)
const proxy = await startTcpProxy(`tcp://127.0.0.1:${port}`)
// A long line has room for all bytes under way.
const maxHeldBytes = Number.POSITIVE_INFINITY
proxy.set({ latencyMs: Number(roundTripMs) / 2, isExact: exact === 'exact', maxHeldBytes })
announce(proxy.port)
