/** Gives each connection to the worker that has the fewest: round robin would leave a new worker behind the others. */
import type { Socket } from 'node:net'
import type { SharedListener } from './messages.ts'

/** A connection that was accepted and nobody has read from. */
export interface AcceptedConnection {
  readonly listener: SharedListener
  readonly socket: Socket
}

/** A worker that takes connections. */
export interface Taker {
  /** Those that it has, and those on their way to it. */
  readonly connections: number
  give(connection: AcceptedConnection): void
}

/** Connections that wait for a worker; with more, the oldest is closed. */
const maxWaiting = 1024

export class Distributor {
  readonly #takers = new Set<Taker>()
  #waiting: AcceptedConnection[] = []

  /** The worker takes connections from now on. */
  add(taker: Taker): void {
    this.#takers.add(taker)
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of waiting) this.give(connection)
  }

  /** The worker takes no more. */
  remove(taker: Taker): void {
    this.#takers.delete(taker)
  }

  /** Gives the connection to a worker, now or as soon as there is one. */
  give(connection: AcceptedConnection): void {
    if (connection.socket.destroyed) return
    let best: Taker | undefined
    for (const taker of this.#takers) if (best === undefined || taker.connections < best.connections) best = taker
    if (best !== undefined) return best.give(connection)
    this.#waiting.push(connection)
    if (this.#waiting.length > maxWaiting) this.#waiting.shift()?.socket.destroy()
  }

  /** Closes the connections that wait. */
  close(): void {
    for (const { socket } of this.#waiting) socket.destroy()
    this.#waiting = []
  }
}
