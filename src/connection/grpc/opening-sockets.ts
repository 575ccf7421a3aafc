import { experimental } from '@grpc/grpc-js'

/** Names that are looked up as grpc-js does it, for channels that have a say in what becomes of their sockets. */
const scheme = 'blobwire'
/** The channel option that holds the sockets. */
const option = 'blobwire.opening_sockets'

/**
 * The sockets of a channel that carry no HTTP/2 yet. grpc-js has no time limit for them and does not close them with the
 * channel: one that waits for its address keeps the process alive until the kernel gives up, after two minutes, and one
 * to a server that says nothing stays for ever. But grpc-js opens each with the address that the resolver gave it, as
 * it is, and `net.connect` takes an `AbortSignal` there (nodejs.org, "new net.Socket").
 * test/connection/grpc-connecting.test.ts notices when that changes.
 */
export class OpeningSockets {
  readonly #controllers = new Set<AbortController>()
  #isOver = false

  /** What a channel that is to be opened with these is given. */
  readonly channelOptions: Readonly<Record<string, OpeningSockets>> = { [option]: this }

  /** The target of such a channel. */
  static target(authority: string): string {
    return `${scheme}:${authority}`
  }

  /** For the socket that is just being opened. */
  signal(): AbortSignal {
    const controller = new AbortController()
    // A channel that was closed before its name was looked up opens a socket all the same. `connect` would bring a socket
    // back to life whose signal is aborted already.
    if (this.#isOver) queueMicrotask(() => controller.abort())
    else this.#controllers.add(controller)
    return controller.signal
  }

  /** One of them stands, and is the channel's from now on; others are given up by grpc-js. */
  forget(): void {
    this.#controllers.clear()
  }

  /** Closes them, and any that the channel opens later. */
  abort(): void {
    this.#isOver = true
    for (const controller of this.#controllers) controller.abort()
    this.#controllers.clear()
  }
}

class SignallingResolver implements experimental.Resolver {
  readonly #resolver: experimental.Resolver

  constructor(...[target, listener, options]: Parameters<typeof experimental.createResolver>) {
    const sockets = options[option] as OpeningSockets
    const withSignal = (address: experimental.SubchannelAddress) => ({
      ...address,
      get signal() {
        return sockets.signal()
      }
    })
    const onAddresses: experimental.ResolverListener = (endpoints, ...rest) => {
      if (!endpoints.ok) return listener(endpoints, ...rest)
      const value = endpoints.value.map(({ addresses }) => ({ addresses: addresses.map(withSignal) }))
      return listener(experimental.statusOrFromValue(value), ...rest)
    }
    this.#resolver = experimental.createResolver({ ...target, scheme: 'dns' }, onAddresses, options)
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

experimental.registerResolver(scheme, SignallingResolver)
