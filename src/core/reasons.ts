/**
 * The rules of errors by their reasons, read from the one table (`reason-rows.ts`). Retry, circuit breaker, fallbacks,
 * splitting and resending decide by this table alone, and `npm run generate` makes the table of reasons in docs/errors.md
 * from it.
 */
import type { Code } from './code.ts'
import { type ErrorRule, ruleOfCode } from './error-rule.ts'
import { answered, ofOne, type ReasonRow, rows } from './reason-rows.ts'

/** A reason that this version knows. */
export type KnownReason = keyof typeof rows

/** A stable finer word than the code; servers newer than this client may send others. Empty = none. */
export type ErrorReason = KnownReason | '' | (string & Record<never, never>)

/** All rows, for documents and tests. */
export const reasons: Readonly<Record<KnownReason, ReasonRow>> = rows

/** The properties of a `BlobwireError` that rules depend on. */
interface Classified {
  readonly code: Code
  readonly reason: string
  readonly retryable: boolean
  readonly details: { readonly limit?: object | undefined }
}

const rules = new Map<string, ErrorRule>()

/** The rules of a code and a reason together. */
export function ruleOf(code: Code, reason: string): ErrorRule {
  if (reason === '') return ruleOfCode[code]
  const key = `${code} ${reason}`
  let rule = rules.get(key)
  if (rule === undefined) {
    const row: Partial<ReasonRow> = Object.hasOwn(rows, reason)
      ? reasons[reason as KnownReason]
      : answeredIfInternal(code)
    rule = { ...ruleOfCode[code], ...row }
    // The cache is bounded, because servers send reasons, too.
    if (rules.size < 1000) rules.set(key, rule)
  }
  return rule
}

/** An internal error with a reason was answered by the service itself, not by a proxy. */
const answeredIfInternal = (code: Code): Partial<ReasonRow> => (code === 'internal' ? { ...ofOne, ...answered } : {})

/** The code of a reason; undefined where it has none of its own or is not known. */
export function codeOfReason(reason: string | undefined): Code | undefined {
  return reason !== undefined && Object.hasOwn(rows, reason) ? reasons[reason as KnownReason].code : undefined
}

/** Whether the same call may be sent again. `error.retryable` holds, except for this client's own refusals. */
export function mayRetry(error: Classified): boolean {
  return error.retryable && !ruleOf(error.code, error.reason).refusal
}

/** Whether the error means that the transport does not work with this server. */
export function rulesOutTransport(transport: string, { code, reason }: Classified): boolean {
  const { transportFallback } = ruleOf(code, reason)
  return transportFallback === 'grpc' ? transport === 'grpc' : transportFallback
}

/** Whether the error means that sessions do not work with this server. */
export function rulesOutSession({ code, reason }: Classified): boolean {
  return ruleOf(code, reason).sessionFallback
}

/** Whether the same operations in smaller requests may succeed: a size limit of either side or of a proxy was exceeded. */
export function mayFitWhenSplit({ code, reason, details }: Classified): boolean {
  return code === 'resource_exhausted' && (details.limit !== undefined || ruleOf(code, reason).split)
}

/** Whether an operation whose session ended with the error goes to another session. */
export function mayResend({ code, reason }: Classified): boolean {
  return ruleOf(code, reason).resend
}
