/** The state of all workers together, and of those that have ended. */
import type { CheckResult, Readiness } from '../health/health.ts'
import type { NotableFigures } from '../metrics/notable.ts'
import { addFigures, endedFigures, type ServerFigures } from '../metrics/snapshot.ts'
import type { Answers } from './messages.ts'

/** A worker that answers questions. */
export interface Answering {
  /** Undefined = no answer in time. */
  ask<About extends keyof Answers>(about: About, timeoutMs: number): Promise<Answers[About] | undefined>
}

/** A worker that is busy for longer counts with its last figures. */
const answerMs = 1_000
const maxSlowCalls = 20

export class Summary {
  readonly #workers: ReadonlySet<Answering>
  /** The figures of this process. */
  readonly #own: () => ServerFigures
  readonly #latest = new Map<Answering, ServerFigures>()
  #ended: ServerFigures | undefined

  constructor(workers: ReadonlySet<Answering>, own: () => ServerFigures) {
    this.#workers = workers
    this.#own = own
  }

  async figures(): Promise<ServerFigures> {
    await Promise.all(
      Array.from(this.#workers, async (worker) => {
        const figures = await worker.ask('figures', answerMs)
        if (figures) this.found(worker, figures)
      })
    )
    const latest = [...this.#latest.values()]
    const all = this.#ended ? [...latest, this.#ended] : latest
    const sum = all.reduce((sum, figures) => addFigures(sum, figures), this.#own())
    // Each worker counts the uploads of the whole database, and at its own times.
    const uploads = latest.map((figures) => figures.uploads).sort((a, b) => b.heldBytes - a.heldBytes)[0]
    return uploads ? { ...sum, uploads } : sum
  }

  /** The worker has these figures now. */
  found(worker: Answering, figures: ServerFigures): void {
    // One that has ended is among the ended ones already.
    if (this.#workers.has(worker)) this.#latest.set(worker, figures)
  }

  /** The worker is none of them any more. What it counted since its last figures is lost. */
  ended(worker: Answering): void {
    const latest = this.#latest.get(worker)
    this.#latest.delete(worker)
    if (latest === undefined) return
    const counted = endedFigures(latest)
    this.#ended = this.#ended ? addFigures(this.#ended, counted) : counted
  }

  async notable(): Promise<NotableFigures> {
    const answers = await this.#askAll('notable')
    const slowCalls = answers.flatMap((answer) => answer.slowCalls).sort((a, b) => (a.time < b.time ? -1 : 1))
    const repositories = answers.map((answer) => answer.repositories).reduce((a, b) => addFigures(a, b), {})
    return { slowCalls: slowCalls.slice(-maxSlowCalls), repositories }
  }

  /** One worker that is ready is enough: each call that fails at another one is made again. */
  async readiness(isDraining: boolean): Promise<Readiness> {
    const answers = await this.#askAll('readiness')
    const of = (name: keyof Readiness['checks']) => together(answers.map(({ checks }) => checks[name]))
    const checks = {
      store: of('store'),
      disk: of('disk'),
      memory: of('memory'),
      draining: isDraining ? { ok: false, detail: 'the server takes no more work' } : of('draining')
    }
    return { ready: !isDraining && answers.some(({ ready }) => ready), checks }
  }

  async #askAll<About extends keyof Answers>(about: About): Promise<Answers[About][]> {
    const answers = await Promise.all(Array.from(this.#workers, (worker) => worker.ask(about, answerMs)))
    return answers.filter((answer) => answer !== undefined)
  }
}

/** What all workers say, or each of them. */
function together(results: readonly CheckResult[]): CheckResult {
  if (results.length === 0) return { ok: false, detail: 'no worker answers' }
  const details = new Set(results.map(({ detail }) => detail))
  return { ok: results.some(({ ok }) => ok), detail: [...details].join('; ') }
}
