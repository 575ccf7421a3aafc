/** Git over HTTP (gitprotocol-http(5)): `/{repository}.git/info/refs` and the services below it. */
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import { type Exchange, headerOf } from '../http/exchange.ts'
import type { HandlerDependencies } from '../listener.ts'
import type { Principal } from '../service/context.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { clientGone, openTransfer, type Transfer } from '../transfers/transfer.ts'
import { type GitAddress, type GitServiceName, isGitService } from './git-address.ts'
import type { GitRemotes } from './git-remotes.ts'
import { type GitService, protocolOf, refuse } from './git-request.ts'
import { receivePack } from './receive-pack.ts'
import { uploadPack } from './upload-pack.ts'

/** The objects that answering a Git client needs. */
export interface GitDependencies extends HandlerDependencies {
  readonly git: GitRemotes
}

const services: Readonly<Record<GitServiceName, GitService>> = {
  'git-upload-pack': uploadPack,
  'git-receive-pack': receivePack
}

/** The names that the figures have for them. */
const recordedMethods: Readonly<Record<GitServiceName, string>> = {
  'git-upload-pack': 'GitUploadPack',
  'git-receive-pack': 'GitReceivePack'
}

/** Asks Git for a name and a password, of which the password is the token (RFC 7617). */
const challenge = { 'www-authenticate': 'Basic realm="blobwire", charset="UTF-8"' }

/** Answers one request of a Git client. */
export async function handleGit(exchange: Exchange, address: GitAddress, dependencies: GitDependencies): Promise<void> {
  const { part, query, repository } = address
  const isAdvertisement = part === 'info/refs'
  const name = isAdvertisement ? query.get('service') : part
  if (!isGitService(name)) return refuseOther(exchange, isAdvertisement)
  exchange.record.method = isAdvertisement ? 'GitInfoRefs' : recordedMethods[name]
  exchange.record.repository = repository
  const problem = isAdvertisement ? problemOfRead(exchange) : problemOfCommand(exchange, name)
  if (problem)
    return exchange.respond(problem.status, { ...problem.headers, 'x-request-id': exchange.record.requestId })
  let transfer: Transfer | undefined
  try {
    const service = services[name]
    const principal = authenticate(exchange, dependencies)
    const opened = openTransfer(dependencies, exchange, dependencies.idleTimeoutMs)
    transfer = opened
    exchange.onAbandoned(() => opened.abort(clientGone()))
    const { requestId } = exchange.record
    const call = { principal, signal: transfer.signal, requestId }
    const isPush = service.access === 'write'
    await dependencies.service.call(methods.getRepository.name, { repository }, call).catch(async (error) => {
      if (!(error instanceof BlobwireError && error.reason === 'repository')) throw error
      if (principal.may('read', repository)) await dependencies.git.forget(repository, opened.signal)
      throw isPush ? createFirst(error) : error
    })
    if (isPush && !principal.may('write', repository)) throw mayNotPush(repository)
    const request = { ...dependencies, exchange, repository, principal, requestId, transfer }
    const protocol = protocolOf(exchange)
    await service[isAdvertisement ? 'advertise' : 'serve']({ ...request, protocol })
  } catch (error) {
    refuseWith(exchange, toBlobwireError(error))
  } finally {
    transfer?.end()
  }
}

function authenticate(exchange: Exchange, { authenticator }: GitDependencies): Principal {
  const principal = authenticator.authenticateGit(headerOf(exchange, 'authorization'))
  exchange.record.tokenName = principal.name
  return principal
}

function refuseWith(exchange: Exchange, error: BlobwireError): void {
  if (error.code === 'unauthenticated') return refuse(exchange, error, { headers: challenge })
  // Where a bound of the server refuses, the same request may do later.
  if (error.code === 'resource_exhausted') refuse(exchange, error, { status: error.details.limit ? 413 : 503 })
  else refuse(exchange, error)
}

function createFirst(error: BlobwireError): BlobwireError {
  return error.with({ message: `${error.message}; a push does not create it: call createRepository before` })
}

function mayNotPush(repository: string): BlobwireError {
  const message = `the token does not permit write access to repository ${repository}`
  return new BlobwireError({ code: 'permission_denied', message })
}

interface Problem {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

function problemOfRead({ method }: Exchange): Problem | undefined {
  return method === 'GET' ? undefined : { status: 405, headers: { allow: 'GET' } }
}

function problemOfCommand(exchange: Exchange, name: GitServiceName): Problem | undefined {
  if (exchange.method !== 'POST') return { status: 405, headers: { allow: 'POST' } }
  return headerOf(exchange, 'content-type') === `application/x-${name}-request` ? undefined : { status: 415 }
}

/** Tells a client whose URL lacks `.git` which one it needs. */
export function refuseWithoutSuffix(exchange: Exchange, name: string): void {
  const message = `not found: the URL of a repository ends in .git, as in /${name.slice(0, 200)}.git`
  refuse(exchange, new BlobwireError({ code: 'unimplemented', message }), { status: 404 })
}

/** Clients of the dumb protocol read the files of a repository, which other stores do not have. */
function refuseOther(exchange: Exchange, isAdvertisement: boolean): void {
  const message = isAdvertisement
    ? 'the server speaks the smart protocol of Git alone: git-upload-pack and git-receive-pack'
    : 'not found: a Git remote has info/refs, git-upload-pack and git-receive-pack'
  const error = new BlobwireError({ code: 'unimplemented', message })
  refuse(exchange, error, { status: isAdvertisement ? 403 : 404 })
}
