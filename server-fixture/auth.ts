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
  /** Shown in the access log instead of the token. @default `token N`, by its place among the grants */
  readonly name?: string | undefined
  /** The right to write includes the right to read; `none` = no right to any repository. */
  readonly access: Access | 'none'
  /** Names of repositories, `team/*` for all below `team/`, `*` for all. */
  readonly repositories: readonly string[]
  /** RFC 3339; absent = never. */
  readonly expires?: string | undefined
  /** The right to metrics, the dashboard and the details of health, which tell about all repositories. @default false */
  readonly operate?: boolean | undefined
}

/** Identifies callers. */
export interface Authenticator {
  /**
   * @param rpc name of the called method in the proto; GetCapabilities needs no token
   * @param authorization value of the header
   * @throws BlobwireError `unauthenticated`, reason `no_token`, `bad_token` or `expired_token`
   */
  authenticate(rpc: string, authorization: string | undefined): Principal
  /**
   * Git's helpers send the token as the password of any user (RFC 7617); as a bearer token it counts, too.
   * @throws BlobwireError as `authenticate`
   */
  authenticateGit(authorization: string | undefined): Principal
  /**
   * Checks the right to operate. A browser, which asks its user for a name and a password (RFC 7617), sends the token as
   * the password.
   * @throws BlobwireError `unauthenticated`; `permission_denied` for a token without the right
   */
  authenticateOperator(authorization: string | undefined): void
}

const everyone: Principal = { may: () => true }
const basic = /^Basic +([A-Za-z0-9+/]+=*)$/i
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** Tokens are looked up by their hash, so that the time of a look-up reveals nothing about them. */
const keyOf = (token: string) => createHash('sha256').update(token).digest('base64')

/** Whether a pattern (`*`, `team/*` or a name) is that of the repository. */
export function matchesName(pattern: string, repository: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('/*') ? repository.startsWith(pattern.slice(0, -1)) : pattern === repository
}

function principalOf(grant: Grant, index: number): Principal {
  return {
    expiresAtMs: grant.expires === undefined ? undefined : Date.parse(grant.expires),
    name: grant.name ?? `token ${index + 1}`,
    may: (access, repository) =>
      (grant.access === 'write' || grant.access === access) &&
      grant.repositories.some((pattern) => matchesName(pattern, repository))
  }
}

function unauthenticated(reason: KnownReason, message: string): BlobwireError {
  return new BlobwireError({ reason, message })
}

/** Identifies callers by their tokens; without grants everyone may do everything. */
export function createAuthenticator(grants: readonly Grant[]): Authenticator {
  if (grants.length === 0) {
    const anyone = () => everyone
    return { authenticate: anyone, authenticateGit: anyone, authenticateOperator: () => undefined }
  }
  const known = new Map(
    grants.map((grant, index) => [keyOf(grant.token), { grant, principal: principalOf(grant, index) }])
  )
  const find = (authorization: string | undefined) => {
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
    return found
  }
  return {
    authenticate: (rpc, authorization) =>
      rpc === methods.getCapabilities.name ? everyone : find(authorization).principal,
    authenticateGit: (authorization) => find(bearerOf(authorization)).principal,
    authenticateOperator(authorization) {
      if (find(bearerOf(authorization)).grant.operate === true) return
      const message = 'the token does not permit to operate the server'
      throw new BlobwireError({ code: 'permission_denied', message })
    }
  }
}

/** The header of a browser, as other clients send it. */
function bearerOf(authorization: string | undefined): string | undefined {
  const [, encoded] = basic.exec(authorization ?? '') ?? []
  if (encoded === undefined) return authorization
  const text = Buffer.from(encoded, 'base64').toString()
  // In a URL such as https://TOKEN@host/a.git the token is the name of the user.
  const [user = '', password = ''] = text.split(/:(.*)/s, 2)
  return `Bearer ${password || user}`
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
  return checkGrants(parseJson(file, await readFile(file, 'utf8')), `${file}: `)
}

/** Reads a list of grants from elsewhere. @throws Error that names the wrong field, without showing a token */
export function checkGrants(list: unknown, from: string): Grant[] {
  if (!Array.isArray(list)) throw new Error(`${from.replace(/: $/, '')}: must be a list`)
  const seen = new Set<string>()
  return list.map((item: Partial<Grant> | null, index) => {
    const where = `${from}[${index}]`
    const { token, name, access, repositories = [], expires, operate } = item ?? {}
    if (typeof token !== 'string' || !bearer.test(`Bearer ${token}`))
      throw new Error(`${where}.token: must be a bearer token`)
    if (access !== 'read' && access !== 'write' && access !== 'none')
      throw new Error(`${where}.access: must be "read", "write" or "none"`)
    if (operate !== undefined && typeof operate !== 'boolean')
      throw new Error(`${where}.operate: must be true or false`)
    if (name !== undefined && !(typeof name === 'string' && /^[\x20-\x7e]{1,64}$/.test(name) && !name.includes(token)))
      throw new Error(`${where}.name: must be 1 to 64 printable characters, and not hold the token`)
    if (access !== 'none' && item?.repositories === undefined)
      throw new Error(`${where}.repositories: must be a list of names, "team/*" or "*"`)
    if (!Array.isArray(repositories) || repositories.some((name) => typeof name !== 'string')) {
      throw new Error(`${where}.repositories: must be a list of names, "team/*" or "*"`)
    }
    if (expires !== undefined && Number.isNaN(Date.parse(expires)))
      throw new Error(`${where}.expires: must be RFC 3339`)
    // One token has one grant: with two, their order would decide.
    if (seen.has(token)) throw new Error(`${where}.token: must not be repeated`)
    seen.add(token)
    return {
      token,
      access,
      repositories,
      expires,
      ...(name === undefined ? {} : { name }),
      ...(operate ? { operate } : {})
    }
  })
}
