/** A worker as the primary process sees it. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ServerFigures } from '../metrics/snapshot.ts'
import { besideModule } from '../package-files.ts'
import type { AcceptedConnection, Taker } from './distributor.ts'
import type { Answers, FromWorker, StartMessage, ToWorker } from './messages.ts'
import { Questions } from './questions.ts'

/** A worker that says nothing for so many looks, one a second, hangs: the connections given to it would wait without end. */
const maxSilentLooks = 15

const main = fileURLToPath(besideModule('worker-main', import.meta.url))

/** Told of one worker. */
export interface WorkerEvents {
  onReady(): void
  /** It takes no more connections. */
  onDraining(): void
  /** Its figures, before it ends. */
  onLast(figures: ServerFigures): void
  /** A connection that it did not take. */
  onReturned(connection: AcceptedConnection): void
  onWatch(isWatched: boolean): void
  /** It hangs, and is killed. */
  onSilent(): void
  /** It asks for the figures of all workers. */
  onQuestion(about: keyof Answers): Promise<Answers[keyof Answers]>
  onEnd(code: number | null, signal: NodeJS.Signals | null): void
}

/** How a worker is started. */
export interface WorkerOptions {
  /** The command line of the server. */
  readonly args: readonly string[]
  readonly start: StartMessage
  readonly events: WorkerEvents
  /** The program; tests have their own. */
  readonly program?: string | undefined
}

export class WorkerProcess implements Taker {
  readonly child: ChildProcess
  readonly #events: WorkerEvents
  readonly #questions: Questions
  /** Connections on their way to the worker: until it has them, they are open here, too. */
  readonly #handedOver = new Map<number, AcceptedConnection>()
  #lastId = 0
  #taken = 0
  /** Looks since its last message; undefined = it is starting, which takes as long as it takes. */
  #silentLooks: number | undefined
  /** It has been asked to drain, or drains by itself. */
  isDraining = false

  constructor({ args, start, events, program = main }: WorkerOptions) {
    this.#events = events
    // Lines of several processes on one pipe would be mixed: the primary forwards them.
    this.child = fork(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#questions = new Questions((question) => this.#send(question))
    this.child.on('message', (message) => this.#receive(message as FromWorker))
    this.child.on('error', () => {
      // It could not be started, as where there are too many processes, and never exits. Otherwise it is a message to one
      // that has just died.
      if (this.child.pid === undefined) this.#ended(null, null)
    })
    this.child.once('exit', (code, signal) => this.#ended(code, signal))
    this.#send(start)
  }

  get connections(): number {
    return this.#taken + this.#handedOver.size
  }

  give(connection: AcceptedConnection): void {
    const id = ++this.#lastId
    this.#handedOver.set(id, connection)
    const message: ToWorker = { kind: 'connection', id, listener: connection.listener }
    // Kept open: where the worker dies before it has the connection, another one has it.
    this.child.send(message, connection.socket, { keepOpen: true }, () => undefined)
  }

  /** Undefined = the worker did not answer in time. */
  ask<About extends keyof Answers>(about: About, timeoutMs: number): Promise<Answers[About] | undefined> {
    return this.#questions.ask(about, timeoutMs)
  }

  /** Called once a second, with a question. */
  look(): void {
    if (this.#silentLooks === undefined || this.#silentLooks++ < maxSilentLooks) return
    this.#silentLooks = undefined
    this.#events.onSilent()
    this.child.kill('SIGKILL')
  }

  watch(isWatched: boolean): void {
    this.#send({ kind: 'watch', isWatched })
  }

  reopen(): void {
    this.#send({ kind: 'reopen' })
  }

  drain(): void {
    this.isDraining = true
    this.#send({ kind: 'drain' })
  }

  #send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => undefined)
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'ready' || this.#silentLooks !== undefined) this.#silentLooks = 0
    switch (message.kind) {
      case 'ready':
        return this.#events.onReady()
      case 'draining':
        this.isDraining = true
        return this.#events.onDraining()
      case 'last':
        return this.#events.onLast(message.figures)
      case 'taken':
        this.#taken++
        // The worker has the connection: this closes the primary's copy, and not the connection.
        this.#takeBack(message.id)?.socket.destroy()
        return
      case 'refused': {
        const connection = this.#takeBack(message.id)
        if (connection) this.#events.onReturned(connection)
        return
      }
      case 'ended':
        this.#taken--
        return
      case 'watch':
        return this.#events.onWatch(message.isWatched)
      case 'answer':
        return this.#questions.answered(message)
      case 'question':
        this.#events.onQuestion(message.about).then((answer) => this.#send({ kind: 'answer', id: message.id, answer }))
    }
  }

  #takeBack(id: number): AcceptedConnection | undefined {
    const connection = this.#handedOver.get(id)
    this.#handedOver.delete(id)
    return connection
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#questions.end()
    this.#events.onEnd(code, signal)
    for (const connection of this.#handedOver.values()) this.#events.onReturned(connection)
    this.#handedOver.clear()
    this.#taken = 0
  }
}
