/** Health checks (grpc.health.v1) and server reflection (v1 and v1alpha), for both listeners. */
import type {
  MethodDefinition,
  Server,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation
} from '@grpc/grpc-js'
import { serviceName } from '../../src/schema/methods.ts'
import type { Health } from '../health/health.ts'
import { loadOptional } from '../optional-package.ts'
import { loadProto } from './proto.ts'

/** A service as grpc-js takes it. */
interface StandardService {
  readonly definition: ServiceDefinition
  readonly handlers: UntypedServiceImplementation
}

/** A method, with its handler as grpc-js calls it. */
export interface StandardMethod {
  readonly definition: MethodDefinition<object, object>
  readonly handler: UntypedHandleCall
}

/** The services of one server, as far as their packages are installed. */
export interface StandardServices {
  readonly services: readonly StandardService[]
  /** By its path, `/grpc.health.v1.Health/Check`. */
  methodOf(path: string): StandardMethod | undefined
  /** Tells that the server takes no more work. */
  drain(): void
}

/** Makes the services, of which health checks tell of `health`; `onMissing` is told of packages that are not installed. */
export async function openStandardServices(
  health: Pick<Health, 'onChange'>,
  onMissing: (name: string) => void
): Promise<StandardServices> {
  const services: StandardService[] = []
  // Both packages can only add their services to a server of grpc-js.
  const collector = {
    addService: (definition: ServiceDefinition, handlers: UntypedServiceImplementation) =>
      services.push({ definition, handlers })
  } as unknown as Server
  let tell: (isReady: boolean) => void = () => undefined
  const checks = await loadOptional('grpc-health-check', () => import('grpc-health-check'), onMissing)
  if (checks) {
    const implementation = new checks.HealthImplementation({ '': 'SERVING', [serviceName]: 'SERVING' })
    let told = true
    tell = (isReady) => {
      // Those who watch hear of a status as often as it is set.
      if (isReady === told) return
      told = isReady
      for (const name of ['', serviceName]) implementation.setStatus(name, isReady ? 'SERVING' : 'NOT_SERVING')
    }
    health.onChange(tell)
    implementation.addToServer(collector)
  }
  const reflection = await loadOptional('@grpc/reflection', () => import('@grpc/reflection'), onMissing)
  if (reflection) new reflection.ReflectionService(loadProto()).addToServer(collector)
  const methods = new Map(services.flatMap(methodsOf))
  return { services, methodOf: (path) => methods.get(path), drain: () => tell(false) }
}

function methodsOf({ definition, handlers }: StandardService): [string, StandardMethod][] {
  return Object.entries(definition).map(([name, method]) => {
    const handler = handlers[name] ?? handlers[method.originalName ?? '']
    return [method.path, { definition: method, handler: handler as UntypedHandleCall }]
  })
}
