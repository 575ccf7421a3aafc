/** Gives a push to a git process, answers its questions, and sends its report. */
import type { Duplex, Writable } from 'node:stream'
import { toBlobwireError } from '../service/error-detail.ts'
import { gitFailure } from '../store/git/git-failure.ts'
import { Output } from '../transfers/output.ts'
import { clientGone } from '../transfers/transfer.ts'
import { type GitRequest, uncached } from './git-request.ts'
import { started, tookTooLong } from './service-answer.ts'
import type { ServiceProcess } from './service-process.ts'

/** The parts of a push. */
export interface PushWork {
  readonly start: () => ServiceProcess
  /** Writes the whole request; waits where `write` returns a promise. */
  readonly feed: (write: (chunk: Uint8Array) => Promise<void> | undefined) => Promise<void>
  /** Answers the questions of the process. Never rejects. */
  readonly answer: (channel: Duplex) => Promise<void>
}

/** Of the output that is kept while the client still sends: many clients read no answer before they have sent all. */
const maxHeldBytes = 1024 * 1024

/** Resolves when the process has ended, and with it all that it has started. @throws BlobwireError where no answer has begun */
export async function answerPush(request: GitRequest, { start, feed, answer }: PushWork): Promise<void> {
  const { transfer } = request
  transfer.signal.throwIfAborted()
  const git = started(start)
  const stop = () => git.kill()
  transfer.signal.addEventListener('abort', stop, { once: true })
  const late = setTimeout(() => transfer.abort(tookTooLong(request)), request.git.timeoutMs)
  const answering = answer(git.channel as Duplex)
  let isFed = false
  let failure: unknown
  feed((chunk) => writeTo(git, chunk)).then(
    () => {
      isFed = true
      git.stdin.end()
      // From here on the client waits for the server.
      transfer.hold()
    },
    (error) => {
      failure = error
      stop()
    }
  )
  const report = new PushReport(request, () => isFed)
  try {
    for await (const chunk of git.stdout) await report.write(chunk as Buffer)
    const exit = await git.exited
    transfer.signal.throwIfAborted()
    if (failure !== undefined) throw failure
    if (exit.status !== 0 && report.isEmpty) throw gitFailure('git receive-pack', exit)
    await report.end()
  } catch (error) {
    if (!report.hasBegun) throw error
    request.exchange.record.failed(toBlobwireError(error))
    report.cut()
  } finally {
    clearTimeout(late)
    transfer.signal.removeEventListener('abort', stop)
    stop()
    await git.exited
    await answering
  }
}

/** Waits while git is slow. Git may end before it has read all: it has refused the push then. */
function writeTo({ stdin }: ServiceProcess, chunk: Uint8Array): Promise<void> | undefined {
  if (stdin.destroyed || stdin.write(chunk)) return undefined
  return new Promise((resolve) => {
    const go = () => {
      stdin.off('drain', go).off('close', go)
      resolve()
    }
    stdin.on('drain', go).on('close', go)
  })
}

/** The answer to the client. */
class PushReport {
  readonly #request: GitRequest
  /** Whether the client has sent all. */
  readonly #isFed: () => boolean
  readonly #held: Buffer[] = []
  #heldBytes = 0
  #stream: Writable | undefined
  #output: Output<Uint8Array> | undefined

  constructor(request: GitRequest, isFed: () => boolean) {
    this.#request = request
    this.#isFed = isFed
  }

  get isEmpty(): boolean {
    return this.#heldBytes === 0 && !this.hasBegun
  }

  get hasBegun(): boolean {
    return this.#output !== undefined
  }

  async write(chunk: Buffer): Promise<void> {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (!this.#isFed() && this.#heldBytes <= maxHeldBytes) return
    this.#output ??= this.#open()
    const output = this.#output
    for (const held of this.#held.splice(0)) output.write(held, held.length)
    const room = output.room()
    if (room) await room
  }

  async end(): Promise<void> {
    if (this.#output) return await this.#output.end()
    const { exchange, transfer } = this.#request
    transfer.sentBytes += this.#heldBytes
    exchange.respond(200, this.#headers, Buffer.concat(this.#held))
  }

  /** The client must not take a part of the report for the whole. */
  cut(): void {
    this.#stream?.destroy()
  }

  get #headers(): Readonly<Record<string, string>> {
    const contentType = 'application/x-git-receive-pack-result'
    return { ...uncached, 'content-type': contentType, 'x-request-id': this.#request.requestId }
  }

  #open(): Output<Uint8Array> {
    this.#stream = this.#request.exchange.stream(200, this.#headers)
    if (this.#stream === undefined) throw clientGone()
    return new Output(this.#stream, this.#request.transfer)
  }
}
