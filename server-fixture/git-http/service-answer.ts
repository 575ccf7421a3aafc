/** Runs a git process for a request, and sends its output as the answer. */
import { BlobwireError } from '../../src/core/error.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { gitFailure } from '../store/git/git-failure.ts'
import { Output } from '../transfers/output.ts'
import type { Transfer } from '../transfers/transfer.ts'
import { clientGone } from '../transfers/transfer.ts'
import { type GitRequest, uncached } from './git-request.ts'
import { headerBytes } from './packet-lines.ts'
import type { ServiceProcess } from './service-process.ts'

/** What a git process is given, and how its output is sent. */
export interface ServiceAnswer {
  readonly contentType: string
  /** For its standard input, which ends after it. */
  readonly input?: Uint8Array | undefined
  /** Left out of messages: the client need not know where the repository is. */
  readonly directory: string
  /** Sent before its output. */
  readonly prologue?: string | undefined
  /** Called where the client reads nothing for so long. */
  readonly onSlow?: (() => void) | undefined
  /** @default 1_000 */
  readonly slowMs?: number | undefined
}

/**
 * Sends all that the process says, as fast as the client reads. Resolves when the process has ended, and with it all that
 * it has started.
 * @throws BlobwireError where the answer has not begun
 */
export async function answerWith(
  request: GitRequest,
  start: () => ServiceProcess,
  { contentType, input, prologue, directory, onSlow, slowMs = 1_000 }: ServiceAnswer
): Promise<void> {
  const { exchange, transfer, requestId } = request
  transfer.signal.throwIfAborted()
  const git = started(start)
  const stop = () => git.kill()
  const timer = setTimeout(() => transfer.abort(tookTooLong(request)), request.git.timeoutMs)
  transfer.signal.addEventListener('abort', stop, { once: true })
  try {
    git.stdin.end(input)
    const chunks = git.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    // Where it ends without a word, an error can still be told.
    let next = await chunks.next()
    if (next.done) await checkExit(git, transfer, directory)
    const headers = { ...uncached, 'content-type': contentType, 'x-request-id': requestId }
    const stream = exchange.stream(200, headers)
    if (stream === undefined) throw clientGone()
    const output = new Output<Uint8Array>(stream, transfer)
    try {
      if (prologue !== undefined) output.write(Buffer.from(prologue), prologue.length)
      let refusal: string | undefined
      for (; !next.done; next = await chunks.next()) {
        output.write(next.value, next.value.length)
        refusal = refusalAtEnd(next.value)
        const room = output.room()
        if (room) await unlessSlow(room, onSlow, slowMs)
      }
      if (refusal === undefined) await checkExit(git, transfer, directory)
      else exchange.record.failed(new BlobwireError({ code: 'failed_precondition', message: refusal }))
      await output.end()
    } catch (error) {
      // The client must not take a part of a pack for the whole.
      exchange.record.failed(toBlobwireError(error))
      stream.destroy()
    }
  } finally {
    clearTimeout(timer)
    transfer.signal.removeEventListener('abort', stop)
    stop()
    // The process has not exited before its output is closed, and what the client does not read would stay in it.
    git.stdout.destroy()
    await git.exited
  }
}

/** @throws BlobwireError where there is no room for a process */
export function started(start: () => ServiceProcess): ServiceProcess {
  try {
    return start()
  } catch (cause) {
    throw new BlobwireError({ reason: 'git_unavailable', message: 'git could not be started', cause })
  }
}

/** The error of a process that is ended. */
export function tookTooLong({ git }: GitRequest): BlobwireError {
  const message = `git did not end within ${git.timeoutMs} ms`
  return new BlobwireError({ code: 'deadline_exceeded', message })
}

async function unlessSlow(room: Promise<void>, onSlow: (() => void) | undefined, slowMs: number): Promise<void> {
  const timer = onSlow && setTimeout(onSlow, slowMs)
  try {
    await room
  } finally {
    clearTimeout(timer)
  }
}

/** The line with which git tells its client why it goes no further (gitprotocol-pack(5), "error-line"): the answer is whole. */
function refusalAtEnd(chunk: Buffer): string | undefined {
  const at = chunk.lastIndexOf('ERR ') - headerBytes
  if (at < 0 || Number.parseInt(chunk.toString('latin1', at, at + headerBytes), 16) !== chunk.length - at)
    return undefined
  return chunk.toString('utf8', at + headerBytes + 'ERR '.length).trim()
}

/** The repository was deleted, and maybe created again, since the request came. */
function replaced(): BlobwireError {
  return new BlobwireError({ code: 'unavailable', message: 'the repository was replaced meanwhile; try again' })
}

async function checkExit(git: ServiceProcess, transfer: Transfer, directory: string): Promise<void> {
  const exit = await git.exited
  // It was killed because the request is over.
  transfer.signal.throwIfAborted()
  if (exit.status === 0) return
  if (/does not appear to be a git repository|mismatched object format/.test(exit.stderr)) throw replaced()
  throw gitFailure('git', exit, directory)
}
