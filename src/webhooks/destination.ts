/** Destinations of webhooks, and their checks. */
import { checkKeys, checkObject, show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import { headersOf } from '../core/headers.ts'
import { resolveRows } from '../options/resolve.ts'
import type { DestinationGuard, GuardedUrl } from './guard.ts'
import { type Signer, signerOf } from './secrets.ts'
import { typeForm } from './signature.ts'

/** A receiver of webhooks. */
export interface WebhookDestination {
  /** Name of the destination, at most 128 letters, digits, `_`, `-`, `.` or `:`. The outbox keeps it, and not the URL. */
  readonly id: string
  /** `https://` URL, to which webhooks are posted. */
  readonly url: string
  /**
   * Secrets (`whsec_…`) and private keys (`whsk_…`), with each of which a webhook is signed. To change a secret, give the
   * new one and the old one until the receiver knows the new one.
   */
  readonly secrets: string | readonly string[]
  /**
   * Types of the webhooks that the destination gets.
   * @default all
   */
  readonly types?: readonly string[] | undefined
  /**
   * Further headers, such as `authorization`. They do not follow a redirect to another origin.
   * @default none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Time for one attempt, in milliseconds.
   * @default the sender's
   */
  readonly timeoutMs?: number | undefined
  /**
   * Most attempts under way.
   * @default the sender's
   */
  readonly concurrency?: number | undefined
}

/** A destination that was checked. */
export interface ResolvedDestination {
  readonly id: string
  readonly url: GuardedUrl
  readonly signers: readonly Signer[]
  readonly types: ReadonlySet<string> | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly concurrency: number
}

const names = ['id', 'url', 'secrets', 'types', 'headers', 'timeoutMs', 'concurrency']

/** The sender's own options, which a destination may have otherwise. */
export interface DestinationDefaults {
  readonly guard: DestinationGuard
  readonly timeoutMs: number
  readonly concurrency: number
}

/**
 * @throws BlobwireError `invalid_argument` naming the option; `permission_denied`, reason `address_refused`, where the
 * guard refuses the URL
 */
export function resolveDestination(
  name: string,
  given: WebhookDestination,
  { guard, ...defaults }: DestinationDefaults
): ResolvedDestination {
  const destination = checkObject(name, given)
  checkKeys(name, destination, names)
  const { id, url, secrets, types, headers = {}, timeoutMs, concurrency } = destination
  if (typeof id !== 'string' || !/^[\w.:-]{1,128}$/.test(id)) {
    throw invalidArgument(`${name}.id`, `must be 1 to 128 letters, digits, "_", "-", "." or ":", not ${show(id)}`)
  }
  const list = typeof secrets === 'string' ? [secrets] : secrets
  if (!Array.isArray(list) || list.length === 0 || list.length > 8) {
    throw invalidArgument(`${name}.secrets`, 'must be a secret, or a list of 1 to 8')
  }
  return {
    id,
    url: guard.checkUrl(`${name}.url`, url),
    signers: list.map((secret, index) => signerOf(`${name}.secrets[${index}]`, secret)),
    types: types === undefined ? undefined : checkTypes(`${name}.types`, types),
    headers: checkOwnHeaders(`${name}.headers`, headers),
    ...(resolveRows(
      name,
      { timeoutMs, concurrency },
      {
        timeoutMs: { kind: 'number', default: defaults.timeoutMs, least: 1 },
        concurrency: { kind: 'number', default: defaults.concurrency, least: 1, most: 1000, integer: true }
      }
    ) as { timeoutMs: number; concurrency: number })
  }
}

function checkTypes(name: string, types: unknown): ReadonlySet<string> {
  if (Array.isArray(types) && types.every((type) => typeof type === 'string' && typeForm.test(type))) {
    return new Set(types)
  }
  throw invalidArgument(name, `must be a list of types such as "push", not ${show(types)}`)
}

/** The same rules as for calls, but that an application has its own `authorization`. */
function checkOwnHeaders(name: string, headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization, ...others } = Object.fromEntries(
    Object.entries(checkObject(name, headers)).map(([key, value]) => [key.toLowerCase(), value])
  )
  const checked: Record<string, string> = {}
  for (const { name: header, value } of headersOf(others as Record<string, string>)) {
    if (header.startsWith('webhook-')) throw invalidArgument(`${name}.${header}`, 'is reserved: the sender sets it')
    checked[header] = value
  }
  if (authorization === undefined) return checked
  if (typeof authorization !== 'string' || !/^[\x20-\x7e]+$/.test(authorization)) {
    throw invalidArgument(`${name}.authorization`, 'must be printable ASCII')
  }
  return { ...checked, authorization }
}
