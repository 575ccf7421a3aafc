/** As many workers as are wanted: one that ends is replaced. */
import { once } from 'node:events'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { LineWriter } from '../access-log/line-writer.ts'
import type { ServerFigures } from '../metrics/snapshot.ts'
import { Distributor } from './distributor.ts'
import { forwardLines } from './line-forwarder.ts'
import type { Answers, StartMessage } from './messages.ts'
import { StartFailed } from './start-failed.ts'
import { Summary } from './summary.ts'
import { WorkerProcess } from './worker-process.ts'

/** A worker that ends sooner is started again after a time that doubles. */
const shortLifeMs = 5_000
const leastDelayMs = 100
const mostDelayMs = 5_000

/** How the workers are started. */
export interface CrewOptions {
  readonly count: number
  /** The command line of the server. */
  readonly args: readonly string[]
  readonly ports: StartMessage['ports']
  readonly output: { readonly stdout: LineWriter; readonly stderr: LineWriter }
  readonly log: (event: Readonly<Record<string, unknown>>) => void
  /** The figures of the primary process. */
  readonly own: () => ServerFigures
  readonly clock?: Clock | undefined
}

export class Crew {
  readonly distributor: Distributor = new Distributor()
  readonly workers: Set<WorkerProcess> = new Set()
  readonly summary: Summary
  readonly #options: CrewOptions
  readonly #clock: Clock
  /** Workers whose dashboards are watched, and that of the primary. */
  readonly #watching = new Set<object>()
  /** By place: lives in a row that were short. */
  readonly #shortLives: number[]
  isDraining = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.summary = new Summary(this.workers, options.own)
    this.#shortLives = Array.from({ length: options.count }, () => 0)
    // Workers drain when the channel closes; those that hang would stay.
    process.once('exit', () => {
      for (const { child } of this.workers) child.kill('SIGKILL')
    })
  }

  /** Starts the first worker, which makes the schema, and then the others. @throws StartFailed */
  async start(): Promise<void> {
    for (const places of [[0], [...this.#shortLives.keys()].slice(1)]) {
      await Promise.all(
        Array.from(places, async (place) => {
          const code = await this.#startFirst(place)
          if (code !== 'ready') throw new StartFailed(code)
        })
      )
    }
  }

  /** Called once a second: counts what workers have done, and finds those that hang. */
  look(): void {
    for (const worker of this.workers) worker.look()
    void this.summary.figures()
  }

  watch(watcher: object, isWatched: boolean): void {
    if (isWatched) this.#watching.add(watcher)
    else this.#watching.delete(watcher)
    for (const worker of this.workers) worker.watch(this.#watching.size > 0)
  }

  /** Has all workers answer what they have accepted, and end. */
  async drain(): Promise<void> {
    this.isDraining = true
    this.distributor.close()
    const ended = Array.from(this.workers, ({ child }) => once(child, 'exit'))
    for (const worker of this.workers) {
      this.distributor.remove(worker)
      worker.drain()
    }
    await Promise.all(ended)
  }

  /** Returns the exit code of a worker that ends before it serves. */
  #startFirst(place: number): Promise<'ready' | number> {
    return new Promise((resolve) => {
      this.#startWorker(place, {
        onReady: () => resolve('ready'),
        // The others of its kind would end, too.
        onEnd: (code) => {
          this.isDraining = true
          resolve(code ?? 1)
        }
      })
    })
  }

  #startWorker(place: number, first?: { onReady(): void; onEnd(code: number | null): void }): void {
    const { args, ports, log, output } = this.#options
    const startedAtMs = this.#clock.now()
    let isReady = false
    const worker = new WorkerProcess({
      args,
      start: { kind: 'start', place, ports },
      events: {
        onReady: () => {
          isReady = true
          log({ event: 'worker_ready', worker: place, pid: worker.child.pid })
          if (this.#watching.size > 0) worker.watch(true)
          if (!worker.isDraining) this.distributor.add(worker)
          first?.onReady()
        },
        onLast: (figures) => this.summary.found(worker, figures),
        onDraining: () => this.distributor.remove(worker),
        onReturned: (connection) => {
          if (this.isDraining) connection.socket.destroy()
          else this.distributor.give(connection)
        },
        onWatch: (isWatched) => this.watch(worker, isWatched),
        onSilent: () => log({ event: 'worker_silent', worker: place, pid: worker.child.pid }),
        onQuestion: (about) => this.#answer(about),
        onEnd: (code, signal) => {
          this.distributor.remove(worker)
          this.workers.delete(worker)
          this.summary.ended(worker)
          if (this.#watching.has(worker)) this.watch(worker, false)
          if (!isReady && first) return first.onEnd(code)
          if (this.isDraining) return
          const delayMs = this.#delayOf(place, this.#clock.now() - startedAtMs)
          log({ event: 'worker_ended', worker: place, pid: worker.child.pid, code, signal, replacedAfterMs: delayMs })
          this.#clock.schedule(delayMs, () => this.isDraining || this.#startWorker(place))
        }
      }
    })
    const { stdout, stderr } = worker.child
    // A process that could not be started for want of file descriptors has none.
    if (stdout) forwardLines(stdout, output.stdout)
    if (stderr) forwardLines(stderr, output.stderr)
    this.workers.add(worker)
  }

  #answer(about: keyof Answers): Promise<Answers[keyof Answers]> {
    return about === 'readiness' ? this.summary.readiness(this.isDraining) : this.summary[about]()
  }

  #delayOf(place: number, livedMs: number): number {
    if (livedMs >= shortLifeMs) this.#shortLives[place] = 0
    else this.#shortLives[place] = (this.#shortLives[place] as number) + 1
    const lives = this.#shortLives[place] as number
    return lives === 0 ? 0 : Math.min(mostDelayMs, leastDelayMs * 2 ** (lives - 1))
  }
}
