/** Whether the server can work: its checks, each asked at most once a second however many ask. */
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { MemoryBudget } from '../memory-budget.ts'
import type { Store } from '../store/store.ts'

/** The outcome of one check. */
export interface CheckResult {
  readonly ok: boolean
  /** What was found; names of files and of repositories are no part of it. */
  readonly detail: string
}

/** Whether the server is ready, with the checks that say so. */
export interface Readiness {
  readonly ready: boolean
  readonly checks: Readonly<Record<'store' | 'disk' | 'memory' | 'draining', CheckResult>>
}

/** The bounds of the checks. */
export interface HealthOptions {
  /** The server is not ready with less room on the disk of its data directory. */
  readonly minFreeBytes: number
  readonly clock?: Clock
}

/** A look at the store is good for so long. */
const keptMs = 1000
/** Time for the store to answer. */
const storeTimeoutMs = 5000
/** With more of the budget of bytes in use, new requests are likely to be refused. */
const fullShare = 0.95
/** The budget may be full for a moment: the server is not ready once it has been so for longer. */
const fullForMs = 10_000

type StoreChecks = Readonly<Record<'store' | 'disk', CheckResult>>

interface StoreLook {
  readonly atMs: number
  /** The store has not answered, even where those who ask wait no longer. */
  isPending: boolean
  readonly found: Promise<StoreChecks>
}

/** One server. */
export class Health {
  readonly #store: Pick<Store, 'vitals'>
  readonly #memory: Pick<MemoryBudget, 'heldBytes' | 'maxBytes'>
  readonly #minFreeBytes: number
  readonly #clock: Clock
  #isDraining = false
  #fullSinceMs: number | undefined
  #storeLook: StoreLook | undefined
  readonly #onChange = new Set<(isReady: boolean) => void>()
  #isReady = true

  constructor(
    store: Pick<Store, 'vitals'>,
    memory: Pick<MemoryBudget, 'heldBytes' | 'maxBytes'>,
    { minFreeBytes, clock = systemClock }: HealthOptions
  ) {
    this.#store = store
    this.#memory = memory
    this.#minFreeBytes = minFreeBytes
    this.#clock = clock
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** As the last look found it. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Calls the listener when `isReady` changes. */
  onChange(listener: (isReady: boolean) => void): void {
    this.#onChange.add(listener)
  }

  /** The server takes no more work, for good. */
  drain(): void {
    this.#isDraining = true
    this.#found(false)
  }

  async look(): Promise<Readiness> {
    const stored = await this.#lookAtStore()
    const draining = { ok: !this.#isDraining, detail: this.#isDraining ? 'the server takes no more work' : 'no' }
    const checks = { ...stored, memory: this.#lookAtMemory(), draining }
    const ready = Object.values(checks).every(({ ok }) => ok)
    this.#found(ready)
    return { ready, checks }
  }

  #found(isReady: boolean): void {
    if (isReady === this.#isReady) return
    this.#isReady = isReady
    for (const listener of this.#onChange) listener(isReady)
  }

  /** One look at a time: a disk that is slow is not asked for more, and the looks write the same file. */
  #lookAtStore(): Promise<StoreChecks> {
    const nowMs = this.#clock.now()
    const last = this.#storeLook
    if (last && (last.isPending || nowMs - last.atMs < keptMs)) return last.found
    const checks = [this.#checkStore(), this.#checkDisk()] as const
    const found = Promise.all(checks.map((check) => this.#inTime(check)))
    const look: StoreLook = {
      atMs: nowMs,
      isPending: true,
      found: found.then(([store, disk]) => ({ store, disk }) as StoreChecks)
    }
    void Promise.all(checks).then(() => {
      look.isPending = false
    })
    this.#storeLook = look
    return look.found
  }

  #inTime(check: Promise<CheckResult>): Promise<CheckResult> {
    return new Promise((resolve) => {
      const late = { ok: false, detail: `no answer within ${storeTimeoutMs} ms` }
      const cancel = this.#clock.schedule(storeTimeoutMs, () => resolve(late))
      void check.then((result) => {
        cancel()
        resolve(result)
      })
    })
  }

  async #checkStore(): Promise<CheckResult> {
    const { vitals } = this.#store
    if (vitals === undefined) return { ok: true, detail: 'the store has no check' }
    const startMs = this.#clock.now()
    try {
      await vitals.check()
      return { ok: true, detail: `wrote and read in ${Math.round(this.#clock.now() - startMs)} ms` }
    } catch (error) {
      return { ok: false, detail: problemOf(error) }
    }
  }

  async #checkDisk(): Promise<CheckResult> {
    try {
      const space = await this.#store.vitals?.diskSpace()
      if (space === undefined) return { ok: true, detail: 'the store is on no disk' }
      const detail = `${space.freeBytes} bytes free, ${this.#minFreeBytes} required`
      return { ok: space.freeBytes >= this.#minFreeBytes, detail }
    } catch (error) {
      return { ok: false, detail: problemOf(error) }
    }
  }

  #lookAtMemory(): CheckResult {
    const { heldBytes, maxBytes } = this.#memory
    const nowMs = this.#clock.now()
    if (heldBytes < maxBytes * fullShare) this.#fullSinceMs = undefined
    else this.#fullSinceMs ??= nowMs
    const ok = this.#fullSinceMs === undefined || nowMs - this.#fullSinceMs < fullForMs
    return { ok, detail: `${heldBytes} of ${maxBytes} bytes held` }
  }
}

/** The code of an error of the file system; its message would name files. */
function problemOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'failed'
}
