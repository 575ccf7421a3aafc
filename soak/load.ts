/** The load of the soak programs: mixed calls that check every answer, and the ledger of calls and answers. */
import { createHash, randomBytes } from 'node:crypto'
import { BlobwireError, type Client, type Repository } from '../src/index.ts'

/** Calls and their answers, as clients saw them; `audit.ts` compares them with the server. */
export interface Ledger {
  calls: number
  succeeded: number
  /** By code and reason; the message is that of the first. */
  readonly failures: Map<string, { count: number; readonly message: string }>
  /** The first twenty events that must never happen. */
  readonly wrong: string[]
  /** Oids of acknowledged blobs. */
  readonly stored: Set<string>
  /** Oids of blobs whose call failed without ever having been sent. */
  readonly neverSent: Set<string>
  /** Acknowledged places of each ref, in order. */
  readonly moves: Map<string, string[]>
  /** Acknowledged commits of each branch, in order. */
  readonly commits: Map<string, string[]>
  pace: Pace
}

/** How long the clients of a ledger were without an answer, since this was replaced. */
export interface Pace {
  lastAnswerMs: number
  longestGapMs: number
  longestCallMs: number
}

export function newPace(): Pace {
  return { lastAnswerMs: performance.now(), longestGapMs: 0, longestCallMs: 0 }
}

export function newLedger(): Ledger {
  return {
    calls: 0,
    succeeded: 0,
    failures: new Map(),
    wrong: [],
    stored: new Set(),
    neverSent: new Set(),
    moves: new Map(),
    commits: new Map(),
    pace: newPace()
  }
}

/** The rate of calls, apart from commits and moves of refs. */
export interface Rates {
  /** Calls a minute that come one after the other. */
  readonly perMinute: number
  /** Calls that come within one second, every `burstEveryMs`. */
  readonly burst: number
  readonly burstEveryMs: number
}

/** Time that a call may take beyond its deadline. */
const lateMs = 250
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const zero = '0'.repeat(40)
const author = { name: 'Soak', email: 'soak@example.com' }

const blobOid = (content: Uint8Array) =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

/** Mixed calls from one client, until `stop`. */
export class Load {
  readonly #repo: Repository
  readonly #name: string
  readonly #ledger: Ledger
  readonly #timeoutMs: number
  readonly #running = new Set<Promise<void>>()
  readonly #acknowledged: { oid: string; content: Buffer }[] = []
  #turn = 0
  #stopped = false

  constructor(client: Client, { name, ledger, timeoutMs }: { name: string; ledger: Ledger; timeoutMs: number }) {
    this.#repo = client.repository('soak')
    this.#name = name
    this.#ledger = ledger
    this.#timeoutMs = timeoutMs
  }

  /** Starts the calls. */
  start({ perMinute, burst, burstEveryMs }: Rates): void {
    this.#repeat(60_000 / perMinute, () => this.#any())
    this.#repeat(burstEveryMs, () => {
      for (let call = 0; call < burst; call++) setTimeout(() => this.#any(), (call * 1000) / burst)
    })
    this.#track(this.#commitInTurn())
    this.#track(this.#moveInTurn())
  }

  /** Ends the load, and waits for the calls under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #repeat(everyMs: number, act: () => void): void {
    const timer = setInterval(() => {
      if (this.#stopped) clearInterval(timer)
      else act()
    }, everyMs)
  }

  #track(work: Promise<void>): void {
    const running = work.finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #any(): void {
    if (this.#stopped) return
    const kinds = [
      () => this.#store(),
      () => this.#read(),
      () => this.#store(),
      () => this.#batch(),
      () => this.#list()
    ]
    this.#track((kinds[this.#turn++ % kinds.length] as () => Promise<void>)())
  }

  /** Makes one call, which must settle in time with an answer or a typed error. */
  async #call<Answer>(act: () => Promise<Answer>): Promise<Answer | BlobwireError> {
    const ledger = this.#ledger
    const began = performance.now()
    ledger.calls++
    const end = await act().then(
      (answer) => answer,
      (error: unknown) => error as BlobwireError
    )
    const tookMs = performance.now() - began
    if (tookMs > this.#timeoutMs + lateMs) this.#wrong(`a call settled after ${Math.round(tookMs)} ms`)
    if (!(end instanceof Error)) {
      ledger.succeeded++
      this.#answered(tookMs)
    } else if (end instanceof BlobwireError) {
      const kind = [end.code, end.reason].filter(Boolean).join(' ')
      const failure = ledger.failures.get(kind) ?? { count: 0, message: end.message }
      failure.count++
      ledger.failures.set(kind, failure)
    } else {
      this.#wrong(`a call failed without a BlobwireError: ${String((end as Error).stack)}`)
    }
    return end
  }

  #answered(tookMs: number): void {
    const { pace } = this.#ledger
    const nowMs = performance.now()
    pace.longestGapMs = Math.max(pace.longestGapMs, nowMs - pace.lastAnswerMs)
    pace.longestCallMs = Math.max(pace.longestCallMs, tookMs)
    pace.lastAnswerMs = nowMs
  }

  #wrong(event: string): void {
    if (this.#ledger.wrong.length < 20) this.#ledger.wrong.push(`${this.#name}: ${event}`)
  }

  /** Random bytes, so that each content is unique: mostly small, sometimes larger than buffers on the way. */
  #content(): Buffer {
    if (this.#turn % 97 === 0) return randomBytes(200_000)
    if (this.#turn % 23 === 0) return randomBytes(20_000)
    return randomBytes(10 + (this.#turn % 500))
  }

  async #store(): Promise<void> {
    const content = this.#content()
    const oid = blobOid(content)
    const answer = await this.#call(() => this.#repo.storeBlob(content))
    this.#stored(oid, content, answer)
  }

  #stored(oid: string, content: Buffer, answer: { oid: string; size: number } | BlobwireError): void {
    if (!(answer instanceof BlobwireError)) {
      if (answer.oid !== oid) this.#wrong(`storeBlob answered ${answer.oid} for ${oid}`)
      if (answer.size !== content.length) this.#wrong(`storeBlob answered ${answer.size} bytes for ${content.length}`)
      this.#ledger.stored.add(oid)
      this.#acknowledged[this.#turn % 200] = { oid, content }
    } else if (answer.sent === 'never') {
      this.#ledger.neverSent.add(oid)
    }
  }

  async #read(): Promise<void> {
    const blob = this.#acknowledged[this.#turn % Math.max(1, this.#acknowledged.length)]
    if (blob === undefined) return this.#store()
    const answer = await this.#call(() => this.#repo.getBlob({ oid: blob.oid }))
    if (answer instanceof BlobwireError) {
      if (answer.code === 'not_found') this.#wrong(`${blob.oid} was acknowledged, and is not there`)
    } else if (!blob.content.equals(answer.content)) {
      this.#wrong(`getBlob answered other bytes for ${blob.oid}`)
    }
  }

  async #batch(): Promise<void> {
    const contents = Array.from({ length: 5 }, () => randomBytes(40))
    const results = await this.#call(() => this.#repo.batch(contents.map((content) => ({ storeBlob: { content } }))))
    if (results instanceof BlobwireError) return
    if (results.length !== contents.length) this.#wrong(`${results.length} results for ${contents.length} operations`)
    results.forEach(({ value, error }, index) => {
      const content = contents[index] as Buffer
      this.#stored(blobOid(content), content, value ?? error)
    })
  }

  async #list(): Promise<void> {
    await this.#call(() => this.#repo.listRefs({ prefix: 'refs/heads/' }))
  }

  /** Moves a ref of its own, step by step. A failed step may have been done, so that the next one reads the ref first. */
  async #moveInTurn(): Promise<void> {
    const ref = `refs/soak/${this.#name}`
    const moves: string[] = []
    this.#ledger.moves.set(ref, moves)
    let at: string | undefined = zero
    for (; !this.#stopped; await pause(50)) {
      const content = randomBytes(30)
      const stored = await this.#call(() => this.#repo.storeBlob(content))
      this.#stored(blobOid(content), content, stored)
      at ??= await this.#whereIs(ref)
      if (at === undefined || stored instanceof BlobwireError) continue
      const [expectedOid, newOid] = [at, stored.oid]
      const moved = await this.#call(() => this.#repo.updateRefs([{ name: ref, expectedOid, newOid }]))
      if (!(moved instanceof BlobwireError)) moves.push(newOid)
      else if (moved.reason === 'ref_mismatch') this.#wrong(`${ref} was not where only this client moves it`)
      at = moved instanceof BlobwireError ? undefined : newOid
    }
  }

  async #whereIs(ref: string): Promise<string | undefined> {
    const answer = await this.#call(() => this.#repo.listRefs({ prefix: ref }))
    return answer instanceof BlobwireError ? undefined : (answer.refs[0]?.oid ?? zero)
  }

  /** Commits to a branch of its own, one after the other. */
  async #commitInTurn(): Promise<void> {
    const branch = `soak-${this.#name}`
    const commits: string[] = []
    this.#ledger.commits.set(branch, commits)
    for (let count = 0; !this.#stopped; count++) {
      const [path, text] = [`directory/${count % 20}.txt`, `${this.#name} ${count}\n`]
      const input = { branch, changes: { [path]: text }, message: `${this.#name} ${count}`, author }
      const answer = await this.#call(() => this.#repo.commitFiles(input))
      if (!(answer instanceof BlobwireError)) {
        commits.push(answer.oid)
        const read = await this.#call(() => this.#repo.getBlob({ revision: branch, path }))
        const isSame =
          read instanceof BlobwireError ? read.code !== 'not_found' : `${Buffer.from(read.content)}` === text
        if (!isSame) this.#wrong(`${path} of ${branch} is not as it was committed`)
      }
      await pause(100)
    }
  }
}
