/**
 * `node --import end-with-parent.ts PROGRAM`: the program ends with the process that started it, even where that was killed.
 * The pipe to its standard input is closed then.
 */
import { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

const { stdin } = process as { readonly stdin: unknown }
// Its workers inherit the option and have no input: they end with it as they always do.
if (isMainThread && stdin instanceof Socket) {
  stdin.on('error', () => undefined)
  stdin.once('close', () => process.exit(1))
  stdin.resume()
  stdin.unref()
}
