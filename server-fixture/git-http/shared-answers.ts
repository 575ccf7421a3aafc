/**
 * Short answers of git that several requests are given. The start of each process holds up the server, the longer the
 * busier the machine is (the parent waits for execve(2) of the child): clients that come together wait for one process.
 */
import { gitFailure } from '../store/git/git-failure.ts'
import type { ProcessSlots } from './process-slots.ts'
import type { ServiceProcess } from './service-process.ts'

/** Longer answers are not kept in memory: each request has a process of its own. */
const maxBytes = 256 * 1024
/** Keys whose answers were longer, and as many answers that stay the same. */
const maxKept = 1000

/** How an answer is had. */
export interface AnswerSource {
  start(): ServiceProcess
  readonly input?: Uint8Array | undefined
  readonly timeoutMs: number
  /** Left out of messages. */
  readonly directory: string
  /** The answer stays the same as long as this does; undefined = it is of one moment. */
  readonly stamp?: string | undefined
}

export class SharedAnswers {
  readonly #slots: ProcessSlots
  readonly #waiting = new Map<string, Promise<Buffer | undefined>>()
  readonly #long = new Set<string>()
  readonly #kept = new Map<string, Buffer>()

  constructor(slots: ProcessSlots) {
    this.#slots = slots
  }

  /**
   * The answer of a process that starts after this call; undefined = it is too long.
   * @throws BlobwireError as `ProcessSlots.acquire` and `gitFailure`
   */
  async get(key: string, source: AnswerSource): Promise<Buffer | undefined> {
    if (this.#long.has(key)) return undefined
    const { stamp } = source
    const place = stamp === undefined ? undefined : `${stamp} ${key}`
    const kept = place && this.#kept.get(place)
    if (kept) return kept
    let answer = this.#waiting.get(key)
    if (answer === undefined) {
      answer = this.#ask(key, source)
      this.#waiting.set(key, answer)
    }
    const found = await answer
    if (place !== undefined && found !== undefined) {
      makeRoom(this.#kept)
      this.#kept.set(place, found)
    }
    return found
  }

  /** Belongs to no single request, and ends with none. */
  async #ask(key: string, source: AnswerSource): Promise<Buffer | undefined> {
    const slot = await this.#slots.acquire().finally(() => {
      // Requests that come later may be told later refs.
      this.#waiting.delete(key)
    })
    try {
      const answer = await gather(source)
      if (answer === undefined) {
        makeRoom(this.#long)
        this.#long.add(key)
      }
      return answer
    } finally {
      slot.release()
    }
  }
}

function makeRoom(kept: { readonly size: number; clear(): void }): void {
  if (kept.size >= maxKept) kept.clear()
}

async function gather({ start, input, timeoutMs, directory }: AnswerSource): Promise<Buffer | undefined> {
  const git = start()
  const timer = setTimeout(() => git.kill(), timeoutMs)
  try {
    git.stdin.end(input)
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of git.stdout) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes > maxBytes) return undefined
    }
    const exit = await git.exited
    if (exit.status !== 0) throw gitFailure('git', exit, directory)
    return Buffer.concat(chunks)
  } finally {
    clearTimeout(timer)
    git.kill()
  }
}
