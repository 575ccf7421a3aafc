/** The streams, the environment and the signals of the command: those of the process, or those of a test. */
import type { Readable, Writable } from 'node:stream'

/** A stream that may be a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number }

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; readonly fd?: number }
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted with the name of the signal: `SIGINT`, `SIGTERM`. */
  readonly signal: AbortSignal
}

/** Those of the process. The first Ctrl-C or SIGTERM ends the command in order, the second one as usual. */
export function processIo(): Io {
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort(name))
  const { stdin, stdout, stderr, env } = process
  return { stdin, stdout, stderr, env, signal: interruption.signal }
}
