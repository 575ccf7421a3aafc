/** Server reflection (grpc.reflection v1 and v1alpha) of the proto files, the same for all servers of a process. */
import type { handleBidiStreamingCall, Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { PackageDefinition } from '@grpc/proto-loader'
import { loadProto } from './proto.ts'

/** A service as grpc-js takes it. */
export interface StandardService {
  readonly definition: ServiceDefinition
  readonly handlers: UntypedServiceImplementation
}

/** The class of `@grpc/reflection`. */
type Reflection = new (definition: PackageDefinition) => { addToServer(server: Server): void }

type Conversation = handleBidiStreamingCall<object, object>

let shared: readonly StandardService[] | undefined

/** The services that something adds to a server: packages can add theirs only to one of grpc-js. */
export function servicesOf(added: { addToServer(server: Server): void }): StandardService[] {
  const services: StandardService[] = []
  const addService = (definition: ServiceDefinition, handlers: UntypedServiceImplementation) =>
    services.push({ definition, handlers })
  added.addToServer({ addService } as unknown as Server)
  return services
}

/** The services of both versions. */
export function reflectionServices(Reflection: Reflection): readonly StandardService[] {
  // The tables of all symbols take more time than the rest of a start: they are made when somebody asks.
  let told: readonly StandardService[] | undefined
  shared ??= servicesOf(new Reflection({})).map(({ definition }, index) => {
    const ServerReflectionInfo: Conversation = (stream) => {
      told ??= servicesOf(new Reflection(loadProto()))
      const tell = told[index]?.handlers['ServerReflectionInfo'] as Conversation
      tell(stream)
    }
    return { definition, handlers: { ServerReflectionInfo } }
  })
  return shared
}
