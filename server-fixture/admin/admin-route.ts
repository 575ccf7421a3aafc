/** The admin port: the paths for operators, without a token, for whoever reaches it. */
import type { Hosts } from '../hosts.ts'
import type { Exchange } from '../http/exchange.ts'
import { refuseHost } from '../http/host-check.ts'
import { refusePath } from '../http/routes.ts'
import type { HandlerDependencies } from '../listener.ts'
import { operatorRoute } from './operator-routes.ts'

/** Answers requests of the admin port, which needs no token. */
export function adminRoute(hosts: Hosts) {
  return async (
    exchange: Exchange,
    dependencies: Pick<HandlerDependencies, 'authenticator' | 'operated' | 'draining'>
  ): Promise<void> => {
    const { operated } = dependencies
    const path = exchange.path.split('?', 1)[0] ?? ''
    if (refuseHost(exchange, hosts)) return
    const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
    const answer = isRead && operated ? operatorRoute(path) : undefined
    if (operated && answer) return answer(exchange, { ...dependencies, operated, isTrusted: true })
    refusePath(exchange, path)
  }
}
