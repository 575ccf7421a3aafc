/** In the place of `compression/zstd-frames.ts` in runtimes that have no zstd. */
import type * as Replaced from '../zstd-frames.ts'

/** @throws Error always: nobody asks for zstd */
export const zstdFrames: typeof Replaced.zstdFrames = () => {
  throw new Error('this runtime has no zstd')
}
