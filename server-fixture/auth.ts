/** Authenticates callers by bearer tokens, the same for both listeners. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BlobwireError } from '../src/core/error.ts'
import type { KnownReason } from '../src/core/reasons.ts'
import { methods } from '../src/schema/methods.ts'
import type { Access, Principal } from './service/context.ts'

/** The rights of one token. */
export interface Grant {
  readonly token: string
  /** The right to write includes the right to read. */
  readonly access: Access
  /** Names of repositories, `team/*` for all below `team/`, `*` for all. */
  readonly repositories: readonly string[]
  /** RFC 3339; absent = never. */
  readonly expires?: string | undefined
}

/** Identifies callers. */
export interface Authenticator {
  /**
   * @param rpc name of the called method in the proto; GetCapabilities needs no token
   * @param authorization value of the header
   * @throws BlobwireError `unauthenticated`, reason `no_token`, `bad_token` or `expired_token`
   */
  authenticate(rpc: string, authorization: string | undefined): Principal
}

const everyone: Principal = { may: () => true }
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** Tokens are looked up by their hash, so that the time of a look-up reveals nothing about them. */
const keyOf = (token: string) => createHash('sha256').update(token).digest('base64')

function matches(pattern: string, repository: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('/*') ? repository.startsWith(pattern.slice(0, -1)) : pattern === repository
}

function principalOf(grant: Grant): Principal {
  return {
    may: (access, repository) =>
      (access === 'read' || grant.access === 'write') &&
      grant.repositories.some((pattern) => matches(pattern, repository))
  }
}

function unauthenticated(reason: KnownReason, message: string): BlobwireError {
  return new BlobwireError({ reason, message })
}

/** Identifies callers by their tokens; without grants everyone may do everything. */
export function createAuthenticator(grants: readonly Grant[]): Authenticator {
  if (grants.length === 0) return { authenticate: () => everyone }
  const known = new Map(grants.map((grant) => [keyOf(grant.token), { grant, principal: principalOf(grant) }]))
  return {
    authenticate(rpc, authorization) {
      if (rpc === methods.getCapabilities.name) return everyone
      if (authorization === undefined || authorization === '') {
        throw unauthenticated('no_token', 'a bearer token is required; give it as the option token')
      }
      const [, token] = bearer.exec(authorization) ?? []
      const found = token === undefined ? undefined : known.get(keyOf(token))
      if (found === undefined) throw unauthenticated('bad_token', 'the server does not know this bearer token')
      const { expires } = found.grant
      if (expires !== undefined && Date.parse(expires) <= Date.now()) {
        throw unauthenticated('expired_token', `the bearer token expired at ${expires}`)
      }
      return found.principal
    }
  }
}

/** Hides the message of JSON.parse, which quotes the text around the error: here it may be a token. */
function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${file}: must be JSON`)
  }
}

/** Reads a file of grants: a JSON list. @throws Error that names the wrong field, without showing a token */
export async function readGrants(file: string): Promise<Grant[]> {
  const list = parseJson(file, await readFile(file, 'utf8'))
  if (!Array.isArray(list)) throw new Error(`${file}: must be a JSON list`)
  const seen = new Set<string>()
  return list.map((item: Partial<Grant> | null, index) => {
    const where = `${file}: [${index}]`
    const { token, access, repositories, expires } = item ?? {}
    if (typeof token !== 'string' || !bearer.test(`Bearer ${token}`))
      throw new Error(`${where}.token: must be a bearer token`)
    if (access !== 'read' && access !== 'write') throw new Error(`${where}.access: must be "read" or "write"`)
    if (!Array.isArray(repositories) || repositories.some((name) => typeof name !== 'string')) {
      throw new Error(`${where}.repositories: must be a list of names, "team/*" or "*"`)
    }
    if (expires !== undefined && Number.isNaN(Date.parse(expires)))
      throw new Error(`${where}.expires: must be RFC 3339`)
    // One token has one grant: with two, their order would decide.
    if (seen.has(token)) throw new Error(`${where}.token: must not be repeated`)
    seen.add(token)
    return { token, access, repositories, expires }
  })
}
