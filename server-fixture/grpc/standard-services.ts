/** Health checks (grpc.health.v1) and server reflection (v1 and v1alpha), for both listeners. */
import type { MethodDefinition, UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js'
import { serviceName } from '../../src/schema/methods.ts'
import type { Health } from '../health/health.ts'
import { loadOptional } from '../optional-package.ts'
import { reflectionServices, type StandardService, servicesOf } from './reflection.ts'

/** A method, with its handler as grpc-js calls it. */
export interface StandardMethod {
  readonly definition: MethodDefinition<object, object>
  readonly handler: UntypedHandleCall
}

/** How they are made. */
interface StandardOptions {
  /** Time that a stream may do nothing. */
  readonly idleTimeoutMs: number
  readonly onMissing: (name: string, part: string) => void
}

/** The services of one server, as far as their packages are installed. */
export interface StandardServices {
  readonly services: readonly StandardService[]
  /** By its path, `/grpc.health.v1.Health/Check`. */
  methodOf(path: string): StandardMethod | undefined
  /** Tells that the server takes no more work, at last. */
  drain(): void
}

/** The names of which health checks tell. */
const checked: readonly string[] = ['', serviceName]

/** Makes the services, of which health checks tell of `health`; `onMissing` is told of packages that are not installed. */
export async function openStandardServices(
  health: Pick<Health, 'onChange'>,
  { idleTimeoutMs, onMissing }: StandardOptions
): Promise<StandardServices> {
  const services: StandardService[] = []
  let tell: (isReady: boolean) => void = () => undefined
  let beat: NodeJS.Timeout | undefined
  const checks = await loadOptional(
    'grpc-health-check',
    () => import('grpc-health-check'),
    (name) => onMissing(name, 'health checks of gRPC')
  )
  if (checks) {
    const implementation = new checks.HealthImplementation()
    let told = true
    // Those who watch hear of a status as often as it is set.
    const set = () => {
      for (const name of checked) implementation.setStatus(name, told ? 'SERVING' : 'NOT_SERVING')
    }
    set()
    tell = (isReady) => {
      if (isReady === told) return
      told = isReady
      set()
    }
    health.onChange(tell)
    // A watch of a server that stays as it is would be idle, and a client that has vanished would keep its watch.
    beat = setInterval(set, idleTimeoutMs / 2).unref()
    for (const { definition, handlers } of servicesOf(implementation))
      services.push({ definition, handlers: withKnownNames(handlers) })
  }
  const reflection = await loadOptional(
    '@grpc/reflection',
    () => import('@grpc/reflection'),
    (name) => onMissing(name, 'reflection of gRPC')
  )
  if (reflection) services.push(...reflectionServices(reflection.ReflectionService))
  const methods = new Map(services.flatMap(methodsOf))
  const drain = () => {
    clearInterval(beat)
    tell(false)
  }
  return { services, methodOf: (path) => methods.get(path), drain }
}

type WatchHandler = (call: { readonly request: object; write(message: object): void }) => void

/** `grpc-health-check` would keep each name that anybody ever watched. */
function withKnownNames(handlers: UntypedServiceImplementation): UntypedServiceImplementation {
  const watch = handlers['watch'] as WatchHandler | undefined
  if (watch === undefined) return handlers
  const known: WatchHandler = (call) => {
    const { service } = call.request as { readonly service: string }
    if (checked.includes(service)) watch(call)
    else call.write({ status: 'SERVICE_UNKNOWN' })
  }
  return { ...handlers, watch: known as UntypedHandleCall }
}

function methodsOf({ definition, handlers }: StandardService): [string, StandardMethod][] {
  return Object.entries(definition).map(([name, method]) => {
    const handler = handlers[name] ?? handlers[method.originalName ?? '']
    return [method.path, { definition: method, handler: handler as UntypedHandleCall }]
  })
}
