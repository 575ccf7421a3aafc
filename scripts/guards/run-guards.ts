/** Breaks guards one by one in copies of the repository, and looks whether a test notices. */
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Guard } from '../../test/guards/guard.ts'
import { runTestFile, type TestRun } from './run-tests.ts'

/** Whether somebody misses the guard. */
export interface Verdict {
  readonly guard: Guard
  readonly state: 'noticed' | 'UNNOTICED' | 'could not be broken'
  readonly detail: string
  readonly ms: number
}

export interface RunOptions {
  readonly jobs: number
  /** The longest time for one test file. */
  readonly timeoutMs: number
  readonly onVerdict: (verdict: Verdict) => void
  /** A test file that fails although nothing is broken: it does not count. */
  readonly onFailsUnbroken: (file: string, run: TestRun) => void
  readonly signal: AbortSignal
}

/** A broken test file gets so many times its usual time, and so much more, before it counts as waiting for ever. */
const patience = 5
const leastMs = 3000

/** Not copied: not needed, or linked. */
const leftOut = new Set(['node_modules', '.git', 'dist'])

/**
 * @param root the repository; it is not changed
 * @returns one verdict for each guard, in the order of the list
 */
export async function runGuards(root: string, guards: readonly Guard[], options: RunOptions): Promise<Verdict[]> {
  const directory = await mkdtemp(join(tmpdir(), 'guards-'))
  // The database of a test may run as another user, who has to get at its own directory in there.
  await chmod(directory, 0o711)
  try {
    const jobs = Array.from({ length: options.jobs }, (_, index) => join(directory, String(index)))
    const workers = await Promise.all(jobs.map((path) => Worker.create(root, path, options)))
    const files = [...new Set(guards.flatMap(({ tests }) => tests))]
    const usable = new Map<string, number>()
    await shareOut(workers, files, async (worker, file) => {
      const start = performance.now()
      const run = await worker.run(file, options.timeoutMs)
      if (run.outcome === 'passed') usable.set(file, performance.now() - start)
      else options.onFailsUnbroken(file, run)
    })
    const verdicts = new Map<Guard, Verdict>()
    await shareOut(workers, guards, async (worker, guard) => {
      const start = performance.now()
      const judged = await worker.judge(guard, usable)
      const verdict = { guard, ...judged, ms: performance.now() - start }
      if (options.signal.aborted) return
      verdicts.set(guard, verdict)
      options.onVerdict(verdict)
    })
    return guards.map((guard) => verdicts.get(guard)).filter((verdict) => verdict !== undefined)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }

  async function shareOut<T>(workers: readonly Worker[], all: readonly T[], work: (worker: Worker, one: T) => unknown) {
    const left = all.values()
    await Promise.all(
      workers.map(async (worker) => {
        for (const one of left) {
          if (options.signal.aborted) return
          await work(worker, one)
        }
      })
    )
  }
}

/** Has a copy of the repository. */
class Worker {
  readonly #root: string
  readonly #temporary: string
  readonly #options: RunOptions

  private constructor(directory: string, options: RunOptions) {
    this.#root = join(directory, 'repository')
    this.#temporary = join(directory, 'tmp')
    this.#options = options
  }

  static async create(root: string, directory: string, options: RunOptions): Promise<Worker> {
    const worker = new Worker(directory, options)
    await mkdir(worker.#temporary, { recursive: true })
    await cp(root, worker.#root, { recursive: true, filter: (path) => !leftOut.has(basename(path)) })
    const packages = await realpath(join(root, 'node_modules')).catch(() => undefined)
    if (packages !== undefined) await symlink(packages, join(worker.#root, 'node_modules'))
    return worker
  }

  run(file: string, timeoutMs: number): Promise<TestRun> {
    const { signal } = this.#options
    return runTestFile(file, { root: this.#root, temporary: this.#temporary, timeoutMs, signal })
  }

  /** @param usable test files that pass while nothing is broken, and how long each takes, in milliseconds */
  async judge(guard: Guard, usable: ReadonlyMap<string, number>): Promise<Pick<Verdict, 'state' | 'detail'>> {
    const path = join(this.#root, guard.file)
    const text = await readFile(path, 'utf8').catch(() => '')
    const broken = breakGuard(text, guard)
    if (broken instanceof Error) return { state: 'could not be broken', detail: broken.message }
    await writeFile(path, broken)
    try {
      return await this.#runTests(guard, usable)
    } finally {
      await writeFile(path, text)
    }
  }

  async #runTests(guard: Guard, usable: ReadonlyMap<string, number>): Promise<Pick<Verdict, 'state' | 'detail'>> {
    let detail = 'its tests pass'
    for (const file of guard.tests) {
      const usualMs = usable.get(file)
      if (usualMs === undefined) {
        detail = `${file} fails unbroken`
        continue
      }
      const run = await this.run(file, Math.min(this.#options.timeoutMs, leastMs + patience * usualMs))
      if (run.outcome === 'unusable') return { state: 'could not be broken', detail: run.detail }
      if (run.outcome === 'failed') return { state: 'noticed', detail: `${file}: ${run.detail}` }
      if (run.outcome === 'timed out' && guard.mayHang) return { state: 'noticed', detail: `${file}: ${run.detail}` }
      if (run.outcome === 'timed out') detail = `${file}: ${run.detail}, which counts only with mayHang`
    }
    return { state: 'UNNOTICED', detail }
  }
}

/** The text of the file without its guard, or why there is none. */
function breakGuard(text: string, { file, from, to }: Guard): string | Error {
  const parts = text.split(from)
  if (parts.length !== 2) return new Error(`"from" occurs ${parts.length - 1} times in ${file}`)
  const broken = parts.join(to)
  try {
    if (file.endsWith('.ts')) stripTypeScriptTypes(broken)
  } catch (error) {
    return new Error(`"to" does not parse: ${(error as Error).message.split('\n')[0]}`)
  }
  return broken
}
