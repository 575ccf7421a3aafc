import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BlobwireError } from '../src/core/error.ts'
import type { Access, Principal } from './service/context.ts'

/** What one token may do. */
export interface Grant {
  readonly token: string
  /** A right to write is one to read. */
  readonly access: Access
  /** Names of repositories, `team/*` for all below `team/`, `*` for all. */
  readonly repositories: readonly string[]
  /** RFC 3339; absent = never. */
  readonly expires?: string | undefined
}

/** Finds out who calls. */
export interface Authenticator {
  /** @throws BlobwireError `unauthenticated`, reason `no_token`, `bad_token` or `expired_token` */
  authenticate(authorization: string | undefined): Principal
}

const everyone: Principal = { may: () => true }
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** Tokens are looked up by their hash, so that the time it takes tells nothing about them. */
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

function unauthenticated(reason: string, message: string): BlobwireError {
  return new BlobwireError({ code: 'unauthenticated', reason, message })
}

/** Knows the callers by their tokens; without grants everyone may do everything. */
export function createAuthenticator(grants: readonly Grant[]): Authenticator {
  if (grants.length === 0) return { authenticate: () => everyone }
  const known = new Map(grants.map((grant) => [keyOf(grant.token), { grant, principal: principalOf(grant) }]))
  return {
    authenticate(authorization) {
      if (authorization === undefined || authorization === '') {
        throw unauthenticated('no_token', 'a bearer token is needed')
      }
      const [, token] = bearer.exec(authorization) ?? []
      const found = token === undefined ? undefined : known.get(keyOf(token))
      if (found === undefined) throw unauthenticated('bad_token', 'the bearer token is not known')
      const { expires } = found.grant
      if (expires !== undefined && Date.parse(expires) <= Date.now()) {
        throw unauthenticated('expired_token', `the bearer token expired at ${expires}`)
      }
      return found.principal
    }
  }
}

/** JSON.parse shows in its message what stands around the fault, which here may be a token. */
function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${file}: is not JSON`)
  }
}

/** Reads a file of grants: a JSON list. @throws Error that says what is wrong, without showing a token */
export async function readGrants(file: string): Promise<Grant[]> {
  const list = parseJson(file, await readFile(file, 'utf8'))
  if (!Array.isArray(list)) throw new Error(`${file}: must be a JSON list`)
  const seen = new Set<string>()
  return list.map((item: Partial<Grant> | null, index) => {
    const where = `${file}: [${index}]`
    const { token, access, repositories, expires } = item ?? {}
    if (typeof token !== 'string' || !bearer.test(`Bearer ${token}`)) throw new Error(`${where}.token: no bearer token`)
    if (access !== 'read' && access !== 'write') throw new Error(`${where}.access: must be "read" or "write"`)
    if (!Array.isArray(repositories) || repositories.some((name) => typeof name !== 'string')) {
      throw new Error(`${where}.repositories: must be a list of names, "team/*" or "*"`)
    }
    if (expires !== undefined && Number.isNaN(Date.parse(expires)))
      throw new Error(`${where}.expires: must be RFC 3339`)
    // One token has one grant: of two, which one holds would depend on their order.
    if (seen.has(token)) throw new Error(`${where}.token: stands twice`)
    seen.add(token)
    return { token, access, repositories, expires }
  })
}
