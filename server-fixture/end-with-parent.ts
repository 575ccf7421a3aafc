/**
 * `node --import end-with-parent.ts PROGRAM`: the program ends with the process that started it, even where that was killed.
 * The pipe to its standard input is closed then.
 */
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.stdin.on('error', () => undefined)
  process.stdin.once('close', () => process.exit(1))
  process.stdin.resume()
  // A pipe is a socket.
  ;(process.stdin as unknown as { unref(): void }).unref()
}
