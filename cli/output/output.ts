/** Writes to one stream: lines, JSON and bytes, at the reader's pace; safe and coloured on a terminal alone. */
import { once } from 'node:events'
import { styleText } from 'node:util'
import type { Io, OutputStream } from '../io.ts'
import { safeJson, safeLine, safeText } from './safe-text.ts'

/** FORCE_COLOR counts more than NO_COLOR, as in Node. */
function hasColours({ isTTY }: OutputStream, env: Io['env']): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM: terminal } = env
  if (force !== undefined) return force !== '0' && force !== 'false'
  return isTTY === true && !none && terminal !== 'dumb'
}

/** Bytes are base64, as on the wire. */
function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

/** A path, as listings tell it. */
interface ListedPath {
  readonly path: string
  /** Only where the path is not UTF-8. */
  readonly rawPath?: Uint8Array | undefined
}

export class Output {
  readonly #stream: OutputStream
  readonly #signal: AbortSignal
  readonly #hasColours: boolean
  readonly isTerminal: boolean

  constructor(stream: OutputStream, { env, signal }: Pick<Io, 'env' | 'signal'>) {
    this.#stream = stream
    this.#signal = signal
    this.#hasColours = hasColours(stream, env)
    this.isTerminal = stream.isTTY === true
  }

  /** Resolves when more may be written. @throws the reason of the signal, where nobody reads any more */
  async write(chunk: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted()
    if (!this.#stream.write(chunk)) await once(this.#stream, 'drain', { signal: this.#signal })
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`)
  }

  /** One line. */
  json(value: unknown): Promise<void> {
    const json = JSON.stringify(value, bytesAsText)
    return this.line(this.isTerminal ? safeJson(json) : json)
  }

  /** A path between two texts: elsewhere than on a terminal, its own bytes. */
  item(before: string, { path, rawPath }: ListedPath, after: string): Promise<void> {
    if (this.isTerminal || !rawPath?.length) return this.write(`${before}${this.name(path)}${after}`)
    return this.write(Buffer.concat([Buffer.from(before), rawPath, Buffer.from(after)]))
  }

  /** A name, or other text of one line, from elsewhere. */
  name(text: string): string {
    return this.isTerminal ? safeLine(text) : text
  }

  /** Text of several lines from elsewhere. */
  text(text: string): string {
    return this.isTerminal ? safeText(text) : text
  }

  /** Text that is safe already, in a colour where there are any. */
  paint(style: Parameters<typeof styleText>[0], text: string): string {
    return this.#hasColours ? styleText(style, text, { validateStream: false }) : text
  }
}
