/** Runs the command in this process, with streams and an environment of its own. */
import { PassThrough, Readable } from 'node:stream'
import { main } from '../../cli/command-line.ts'

/** How a command is run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stdin?: string | Uint8Array
  /** Standard output and error are terminals. */
  readonly isTTY?: boolean
  readonly signal?: AbortSignal
  /** Called with all that is on standard output so far. */
  readonly onOutput?: (text: string) => void
}

/** How it ended. */
export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly bytes: Buffer
}

function collector(isTTY: boolean, onData: (text: string) => void = () => {}) {
  const chunks: Buffer[] = []
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 })
  stream.on('data', (chunk) => {
    chunks.push(chunk)
    onData(Buffer.concat(chunks).toString())
  })
  return { stream, bytes: () => Buffer.concat(chunks) }
}

/** Runs `blobwire` with these arguments. */
export async function blobwire(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { env = {}, stdin = '', isTTY = false, signal = new AbortController().signal, onOutput } = options
  const [out, err] = [collector(isTTY, onOutput), collector(isTTY)]
  const io = { stdin: Readable.from([Buffer.from(stdin)]), stdout: out.stream, stderr: err.stream, env, signal }
  const code = await main(args, io)
  return { code, stdout: out.bytes().toString(), stderr: err.bytes().toString(), bytes: out.bytes() }
}
