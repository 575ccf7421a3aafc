/** `StreamFunctions` of platform.ts without the streams of Node. */
import { refuse } from './refuse.ts'

export const nodeStream = (): never => refuse('streams of Node are only on Node; use stream() or for await')
