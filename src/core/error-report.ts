/** Errors as plain objects and as text, for logs and other processes. */

/** The properties of an error that a report has. */
const reported = [
  'name',
  'code',
  'reason',
  'message',
  'retryable',
  'sent',
  'attempts',
  'transport',
  'endpoint',
  'method',
  'requestId',
  'details'
] as const

type Reported = Error & { readonly [Name in (typeof reported)[number]]: unknown }

/** A cause, shortened: its name, code and message, and its own cause. */
export interface CauseReport {
  name: string
  code?: string
  message: string
  cause?: CauseReport
}

/** The report of an error of this type. */
export type ReportOf<Found extends Reported> = { -readonly [Name in (typeof reported)[number]]: Found[Name] } & {
  cause?: CauseReport
  stack?: string
}

/** A chain of causes may be long, or lead back to itself. */
const maxCauses = 5
const maxTextLength = 1000

function causeOf(cause: unknown, left: number = maxCauses): CauseReport | undefined {
  if (cause === undefined || left === 0) return undefined
  if (!(cause instanceof Error)) return { name: typeof cause, message: textOf(cause) }
  const { name, message, code } = cause as Error & { readonly code?: unknown }
  const next = causeOf(cause.cause, left - 1)
  return {
    name: String(name),
    ...(code === undefined ? {} : { code: textOf(code) }),
    message: textOf(message),
    ...(next === undefined ? {} : { cause: next })
  }
}

/** Anything may be the reason of an abort, such as an object without a prototype. */
function textOf(value: unknown): string {
  try {
    return String(value).slice(0, maxTextLength)
  } catch {
    return typeof value
  }
}

/** `options` is a key where `JSON.stringify` asks. */
export function reportOf<Found extends Reported>(error: Found, options: unknown): ReportOf<Found> {
  const report = Object.fromEntries(reported.map((name) => [name, error[name]])) as ReportOf<Found>
  const cause = causeOf(error.cause)
  if (cause !== undefined) report.cause = cause
  const asksForStack = typeof options === 'object' && options !== null && 'stack' in options && options.stack === true
  if (asksForStack && error.stack !== undefined) report.stack = error.stack
  return report
}

/** As `util.inspect` calls `inspect`. */
export interface Inspecting {
  readonly depth: number
  readonly options: object
  readonly inspect: (value: unknown, options: object) => string
}

/** The stack of the error, and its properties but for those that are empty or in the message. */
export function inspectError(error: Reported, { depth, options, inspect }: Inspecting): string {
  const { code, reason, retryable, sent, attempts, transport, requestId, details, cause } = error
  if (depth < 0) return `[${error.name}: ${error.message}]`
  const all = { code, reason, retryable, sent, attempts, transport, requestId, details, cause }
  const isEmpty = (value: unknown) =>
    value === undefined || value === '' || (value === details && Object.keys(value as object).length === 0)
  // Details are as deep as they are, and short.
  const shown = inspect(details, { ...options, depth: 4 })
  const told = Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)))
  if ('details' in told) told['details'] = { [Symbol.for('nodejs.util.inspect.custom')]: () => shown }
  const { name, message, stack } = error
  const shownStack = typeof stack === 'string' ? stack : `${name}: ${message}`
  return `${shownStack} ${inspect(told, { ...options, depth })}`
}
