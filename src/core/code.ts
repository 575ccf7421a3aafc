/**
 * The sixteen codes of gRPC in lower snake case, by their number there; 0 is success and not a code.
 * Source: gRPC's `doc/statuscodes.md`.
 */
export const codeNumbers = {
  cancelled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16
} as const

/** The kind of a failure: one of gRPC's sixteen status codes. */
export type Code = keyof typeof codeNumbers

/** All codes; a code's number is its place + 1. */
const codes = Object.keys(codeNumbers) as Code[]

/** The code of a gRPC status number; `unknown` for a number that gRPC does not define. */
export function codeFromGrpc(status: number): Code {
  return codes[status - 1] ?? 'unknown'
}

/** The HTTP status of each code in Connect. Source: Connect protocol, "Error codes". */
export const httpStatusFromCode: Readonly<Record<Code, number>> = {
  cancelled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401
}

const codeByHttpStatus: Readonly<Record<number, Code>> = {
  400: 'internal',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'unimplemented',
  408: 'deadline_exceeded',
  413: 'resource_exhausted',
  415: 'unimplemented',
  416: 'out_of_range',
  429: 'resource_exhausted',
  431: 'resource_exhausted',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable'
}

/**
 * The code for an HTTP status whose body is not a Connect error, as proxies send it.
 * Source: Connect protocol, "HTTP to Error Code"; 408, 413, 415, 416 and 431 are additions.
 */
export function codeFromHttpStatus(status: number): Code {
  return codeByHttpStatus[status] ?? 'unknown'
}

/** Connect writes `canceled` where gRPC's name is CANCELLED. */
export function codeToConnect(code: Code): string {
  return code === 'cancelled' ? 'canceled' : code
}

/** The code behind a name on the wire, or undefined if no such name exists. */
export function codeFromName(name: unknown): Code | undefined {
  if (name === 'canceled') return 'cancelled'
  return typeof name === 'string' && Object.hasOwn(codeNumbers, name) ? (name as Code) : undefined
}
