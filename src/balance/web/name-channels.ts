/** In the place of `balance/name-channels.ts` in runtimes that tell nobody the addresses of a name. */
import type { NameChannels as Replaced } from '../name-channels.ts'

export type { AddressLookup } from '../name-channels.ts'

/** Never made: no endpoint has several addresses here. */
export class NameChannels implements Pick<Replaced, 'channels' | 'close'> {
  readonly channels: Replaced['channels'] = []

  async close(): Promise<void> {
    // There is nothing to close.
  }
}
