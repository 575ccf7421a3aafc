/** The channels of a client: for each transport that is used, one picker over all endpoints. */
import type { TransportName } from '../core/error.ts'
import { EndpointChannel } from './endpoint-channel.ts'
import type { EndpointChannelContext } from './endpoint-channel-context.ts'
import { type AddressLookup, NameChannels } from './name-channels.ts'
import { Picker } from './picker.ts'

export interface PickersContext extends EndpointChannelContext {
  readonly endpoints: readonly string[]
  /** The addresses of an endpoint that has a channel for each; undefined = it has one channel. */
  readonly addressesOf?: ((endpoint: string) => AddressLookup | undefined) | undefined
}

export class Pickers {
  readonly #context: PickersContext
  readonly #pickers = new Map<TransportName, Picker<EndpointChannel>>()
  readonly #names: NameChannels[] = []

  constructor(context: PickersContext) {
    this.#context = context
  }

  /** The picker of a transport, made when it is first wanted. */
  of(transport: TransportName): Picker<EndpointChannel> {
    let picker = this.#pickers.get(transport)
    if (picker === undefined) {
      picker = this.#newPicker(transport)
      this.#pickers.set(transport, picker)
    }
    return picker
  }

  /** The channels that attempts may go to. */
  get channels(): readonly EndpointChannel[] {
    return [...this.#pickers.values()].flatMap((picker) => picker.channels)
  }

  /** Takes note of weights that have changed. */
  weigh(): void {
    for (const picker of this.#pickers.values()) picker.weigh()
  }

  async close(): Promise<void> {
    await Promise.all([...this.channels, ...this.#names].map((each) => each.close()))
  }

  #newPicker(transport: TransportName): Picker<EndpointChannel> {
    const { endpoints, addressesOf, clock, random, onLimitChange } = this.#context
    const groups = endpoints.map((endpoint) => {
      const lookup = addressesOf?.(endpoint)
      if (lookup === undefined) return { channels: [new EndpointChannel(endpoint, transport, this.#context)] }
      const name = new NameChannels({
        clock,
        random,
        lookup,
        newChannel: (ofName) => new EndpointChannel(endpoint, transport, this.#context, ofName),
        onChange: () => {
          picker.setChannels(all())
          onLimitChange()
        }
      })
      this.#names.push(name)
      return name
    })
    const all = () => groups.flatMap(({ channels }) => channels)
    const picker = new Picker(all(), clock, random)
    return picker
  }
}
