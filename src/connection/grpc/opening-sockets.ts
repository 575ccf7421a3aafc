/** Closes the sockets that grpc-js is opening, which grpc-js itself does not, and keeps them from holding the process. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { isIPv6, type Socket } from 'node:net'
import type { experimental } from '@grpc/grpc-js'
import { addressTurns } from '../dial/address-turns.ts'
import { unheld } from '../unheld.ts'
import type { GrpcModule } from './grpc-js.ts'

/** The URI scheme of targets whose sockets can be closed; names are resolved as with `dns:`. */
const scheme = 'blobwire'
/** The channel option that holds the `OpeningSockets`. */
const option = 'blobwire.opening_sockets'
/** The diagnostics channel on which Node reports the sockets of clients. */
const socketCreated = 'net.client.socket'

type Experimental = GrpcModule['experimental']
const registered = new WeakSet<Experimental>()

/**
 * The sockets of a channel that are not connections of HTTP/2 yet. grpc-js has no time limit for them and does not close
 * them with the channel: a socket without an answer to its SYN keeps the process alive for two minutes, a socket to an
 * unresponsive server forever. grpc-js passes the resolver's address to `net.connect` unchanged, and an address there
 * may hold an `AbortSignal` (nodejs.org, "new net.Socket"). test/connection/grpc-connecting.test.ts fails when grpc-js
 * changes that.
 */
export class OpeningSockets {
  readonly #controllers = new Set<AbortController>()
  #awaitsSocket = false
  #isOver = false

  /** The options of the channel whose sockets these are. */
  readonly channelOptions: Readonly<Record<string, OpeningSockets>> = { [option]: this }

  constructor({ experimental }: GrpcModule) {
    if (registered.has(experimental)) return
    registered.add(experimental)
    experimental.registerResolver(scheme, resolverOf(experimental))
  }

  /** The target of the channel. */
  target(authority: string): string {
    return `${scheme}:${authority}`
  }

  /** The signal of a socket that is about to be opened. */
  signal(): AbortSignal {
    const controller = new AbortController()
    // A channel that was closed before its name was looked up opens a socket all the same. `connect` would bring a socket
    // back to life whose signal is aborted already.
    if (this.#isOver) queueMicrotask(() => controller.abort())
    else this.#controllers.add(controller)
    this.#unholdNextSocket()
    return controller.signal
  }

  /** The channel has its connection; grpc-js closes the other sockets itself. */
  forget(): void {
    this.#controllers.clear()
  }

  /** Closes them, and any that the channel opens later. */
  abort(): void {
    this.#isOver = true
    for (const controller of this.#controllers) controller.abort()
    this.#controllers.clear()
  }

  /** Node reports each socket that `connect` makes, right after the options of the socket were read. */
  #unholdNextSocket(): void {
    if (this.#awaitsSocket) return
    this.#awaitsSocket = true
    const onSocket = (message: unknown) => {
      unsubscribe(socketCreated, onSocket)
      this.#awaitsSocket = false
      unheld((message as { socket: Socket }).socket)
    }
    subscribe(socketCreated, onSocket)
  }
}

/** The resolver of the scheme: that of `dns:`, with the addresses in turn, and a signal in each. */
function resolverOf({ createResolver, statusOrFromValue }: Experimental) {
  return class SignallingResolver implements experimental.Resolver {
    readonly #resolver: experimental.Resolver

    constructor(...[target, listener, options]: Parameters<typeof createResolver>) {
      const sockets = options[option] as OpeningSockets
      const withSignal = (address: experimental.SubchannelAddress) => ({
        ...address,
        get signal() {
          return sockets.signal()
        }
      })
      const onAddresses: experimental.ResolverListener = (endpoints, ...rest) => {
        if (!endpoints.ok) return listener(endpoints, ...rest)
        const inTurn = addressTurns.next(endpoints.value, ({ addresses: [first] }) =>
          isIPv6(first && 'host' in first ? first.host : '')
        )
        const value = inTurn.map(({ addresses }) => ({ addresses: addresses.map(withSignal) }))
        return listener(statusOrFromValue(value), ...rest)
      }
      this.#resolver = createResolver({ ...target, scheme: 'dns' }, onAddresses, options)
    }

    updateResolution(): void {
      this.#resolver.updateResolution()
    }

    destroy(): void {
      this.#resolver.destroy()
    }

    static getDefaultAuthority({ path }: experimental.GrpcUri): string {
      return path
    }
  }
}
