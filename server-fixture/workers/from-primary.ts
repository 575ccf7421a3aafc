/** The primary process as a worker sees it: connections, commands, and the figures of all workers. */
import type { Socket } from 'node:net'
import type { ConnectionSource } from '../accepted-connections.ts'
import { Feed } from '../admin/feed.ts'
import type { Operated } from '../admin/operated.ts'
import type { FigureSource } from '../metrics/figure-source.ts'
import type { ServerFigures } from '../metrics/snapshot.ts'
import type { Answers, FromWorker, SharedListener, StartMessage, ToWorker } from './messages.ts'
import { Questions } from './questions.ts'

/** Longer than the primary waits for a worker. */
const answerMs = 5_000

/** What the primary asks a worker to do. */
export interface Commands {
  drain(): void
  reopen(): void
}

export class FromPrimary {
  readonly place: number
  readonly sources: Readonly<Record<SharedListener, ConnectionSource>>
  readonly #takers: Partial<Record<SharedListener, (socket: Socket) => void>> = {}
  readonly #questions = new Questions((question) => this.#send(question))
  #own: Operated | undefined
  #commands: Commands | undefined
  #isToDrain = false

  constructor({ place, ports }: StartMessage) {
    this.place = place
    this.sources = { http: this.#source('http', ports), grpc: this.#source('grpc', ports) }
    process.on('message', (message, socket) => this.#receive(message as ToWorker, socket as Socket | undefined))
    // Nobody gives connections any more.
    process.once('disconnect', () => this.#commands?.drain())
  }

  /** Waits for the first message. */
  static async connect(): Promise<FromPrimary> {
    const start = await new Promise<StartMessage>((resolve) =>
      process.once('message', (first) => resolve(first as StartMessage))
    )
    return new FromPrimary(start)
  }

  /** The worker serves, and does as the primary asks. */
  ready(commands: Commands): void {
    this.#commands = commands
    this.#send({ kind: 'ready' })
    if (this.#isToDrain || !process.connected) commands.drain()
  }

  /** The worker takes no more connections. */
  draining(): void {
    this.#send({ kind: 'draining' })
  }

  /** The worker ends, and has counted this. Resolves when the primary has been told. */
  last(figures: ServerFigures): Promise<void> {
    return new Promise((resolve) => {
      if (!process.connected || !process.send) return resolve()
      process.send({ kind: 'last', figures } satisfies FromWorker, undefined, undefined, () => resolve())
    })
  }

  /** The state of all workers, which a worker's paths for operators tell of. */
  together(own: Operated, serverVersion: string): Operated {
    this.#own = own
    const ask = async <About extends keyof Answers>(about: About, alone: () => Promise<Answers[About]>) =>
      (await this.#questions.ask(about, answerMs)) ?? (await alone())
    const figures: FigureSource = {
      snapshot: () => ask('figures', () => own.figures.snapshot()),
      notable: () => ask('notable', () => own.figures.notable()),
      watch: (isWatched) => this.#send({ kind: 'watch', isWatched })
    }
    const health: Operated['health'] = {
      look: () => ask('readiness', () => own.health.look()),
      get isDraining() {
        return own.health.isDraining
      },
      onChange: (listener) => own.health.onChange(listener)
    }
    return { figures, health, feed: new Feed({ figures, health, serverVersion }) }
  }

  #source(listener: SharedListener, ports: StartMessage['ports']): ConnectionSource {
    return {
      port: ports[listener],
      subscribe: (onConnection) => {
        this.#takers[listener] = onConnection
        return () => {
          delete this.#takers[listener]
        }
      }
    }
  }

  #send(message: FromWorker): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
  }

  #receive(message: ToWorker, socket: Socket | undefined): void {
    switch (message.kind) {
      case 'connection':
        return this.#take(message, socket)
      case 'drain':
        // One that is starting drains when it is ready.
        this.#isToDrain = true
        return this.#commands?.drain()
      case 'reopen':
        return this.#commands?.reopen()
      case 'watch':
        return this.#own?.figures.watch(message.isWatched)
      case 'answer':
        return this.#questions.answered(message)
      case 'question':
        void this.#answer(message.about).then(
          (answer) => answer && this.#send({ kind: 'answer', id: message.id, answer })
        )
    }
  }

  #take({ id, listener }: Extract<ToWorker, { kind: 'connection' }>, socket: Socket | undefined): void {
    const take = this.#takers[listener]
    if (take === undefined) {
      socket?.destroy()
      return this.#send({ kind: 'refused', id })
    }
    this.#send({ kind: 'taken', id })
    if (socket === undefined) return this.#send({ kind: 'ended', id })
    socket.once('close', () => this.#send({ kind: 'ended', id }))
    take(socket)
  }

  #answer(about: keyof Answers): Promise<Answers[keyof Answers] | undefined> {
    if (about === 'figures') return this.#own?.figures.snapshot() ?? Promise.resolve(undefined)
    if (about === 'notable') return this.#own?.figures.notable() ?? Promise.resolve(undefined)
    return this.#own?.health.look() ?? Promise.resolve(undefined)
  }
}
