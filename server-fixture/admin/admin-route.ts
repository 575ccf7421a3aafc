/** The admin port: the paths for operators, without a token, for whoever reaches it. */
import { isIP } from 'node:net'
import { BlobwireError } from '../../src/core/error.ts'
import { respondError } from '../http/errors.ts'
import { type Exchange, headerOf } from '../http/exchange.ts'
import { refusePath } from '../http/routes.ts'
import type { HandlerDependencies } from '../listener.ts'
import { operatorRoute } from './operator-routes.ts'

/**
 * A web site may have its own name resolve to a loopback address, and read what a browser on this machine gets from there
 * (DNS rebinding). The name is then in the request.
 */
function isOwnName(authority: string, host: string): boolean {
  const name = authority.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || name === host || isIP(name) !== 0
}

/** Answers requests of the admin port, which listens on this host. */
export function adminRoute(host: string) {
  return async (
    exchange: Exchange,
    dependencies: Pick<HandlerDependencies, 'authenticator' | 'operated' | 'draining'>
  ): Promise<void> => {
    const { operated } = dependencies
    const path = exchange.path.split('?', 1)[0] ?? ''
    const authority = headerOf(exchange, ':authority') ?? headerOf(exchange, 'host') ?? ''
    if (!isOwnName(authority, host)) {
      const message = `the admin port answers to localhost, to addresses and to ${host}, not to other names`
      const error = new BlobwireError({ code: 'permission_denied', message })
      return respondError(exchange, exchange.record.requestId, error)
    }
    const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
    const answer = isRead && operated ? operatorRoute(path) : undefined
    if (operated && answer) return answer(exchange, { ...dependencies, operated, isTrusted: true })
    refusePath(exchange, path)
  }
}
