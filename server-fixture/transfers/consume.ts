/** Reads the stream of an upload, as fast as its store takes it. */
import type { Readable } from 'node:stream'
import { BlobwireError } from '../../src/core/error.ts'
import { clientGone, type Transfer } from './transfer.ts'

/** A stream that tells whether it was cut: node:http2 ends a stream that was reset as if it were whole. */
type CutReadable = Readable & { readonly aborted?: boolean }

/** How a stream is read. */
export interface Consumer<Item> {
  /** Undefined = it is taken. */
  readonly take: (item: Item) => Promise<void> | undefined
  /** Asked after each item: nothing more is needed of the stream. */
  readonly isComplete?: () => boolean
  readonly transfer: Transfer
}

/**
 * Gives each item of the stream to `take`, and waits where that returns a promise: then nothing more is read, and flow
 * control stops the client. Resolves at the end of the stream. No `take` is under way when it settles.
 * @throws BlobwireError `cancelled` where the stream was cut; the error of a stream that decodes, and of `take`; the reason
 * of the transfer's signal
 */
export function consume<Item extends Uint8Array>(
  input: CutReadable,
  { take, isComplete = () => false, transfer }: Consumer<Item>
): Promise<void> {
  return new Promise((resolve, reject) => {
    let taking: Promise<void> | undefined
    let isSettled = false
    const settle = (error?: unknown) => {
      if (isSettled) return
      isSettled = true
      transfer.signal.removeEventListener('abort', onAbort)
      input.off('data', onData).off('end', onEnd).off('close', onCut).off('error', onCut).off('aborted', onCut)
      // A stream without this listener would end the process with its late error.
      input.on('error', () => undefined)
      const tell = () => (error === undefined ? resolve() : reject(error))
      // A stream may end while its last item is being taken.
      if (taking === undefined) tell()
      else taking.then(tell, (failure) => reject(error ?? failure))
    }
    const onCut = (error?: unknown) => settle(error instanceof BlobwireError ? error : clientGone())
    const onEnd = () => settle()
    const onAbort = () => settle(transfer.signal.reason)
    const onData = (item: Item) => {
      transfer.touch()
      transfer.receivedBytes += item.length
      try {
        taking = take(item)
      } catch (error) {
        return settle(error)
      }
      if (taking === undefined) return isComplete() ? settle() : undefined
      input.pause()
      transfer.hold()
      taking.then(() => {
        taking = undefined
        transfer.free()
        if (isComplete()) settle()
        else if (!isSettled) input.resume()
      }, settle)
    }
    if (transfer.signal.aborted) return onAbort()
    if (input.aborted) return onCut()
    if (input.readableEnded) return onEnd()
    if (input.destroyed) return onCut()
    transfer.signal.addEventListener('abort', onAbort)
    input.on('end', onEnd).on('close', onCut).on('error', onCut).on('aborted', onCut).on('data', onData)
    input.resume()
  })
}
