/** The event that a server sends for moves of refs. */

/** A ref that moved. An all-zero oid stands for a ref that did not exist before, or does not exist any more. */
export interface PushMove {
  /** Full name of the ref, such as `refs/heads/main`. */
  name: string
  oldOid: string
  newOid: string
}

/** The moves of one call, which happened together. */
export interface PushData {
  /** Name of the repository. */
  repository: string
  /**
   * Place of the event among those of the repository. Later events have higher numbers; the numbers may have gaps. They
   * begin anew when a repository of the same name is created again.
   */
  sequence: number
  /** Request id of the call in the log of the server; absent where it is not known. */
  requestId?: string
  /** The refs that moved. A ref occurs once. */
  moves: PushMove[]
}

/** The body of a webhook of type `push`, in the form that Standard Webhooks recommends. */
export interface PushEvent {
  type: 'push'
  /** Time of the moves, after ISO 8601. */
  timestamp: string
  data: PushData
}

/** Makes the event of some moves. `timeMs` is the time of the moves, in milliseconds since 1970-01-01T00:00:00Z. */
export function pushEvent(data: PushData, timeMs: number): PushEvent {
  return { type: 'push', timestamp: new Date(timeMs).toISOString(), data }
}

/** Whether the JSON of a webhook is a push event. */
export function isPushEvent(value: unknown): value is PushEvent {
  const { type, timestamp, data } = fieldsOf(value)
  const { repository, sequence, moves } = fieldsOf(data)
  if (type !== 'push' || typeof timestamp !== 'string' || typeof repository !== 'string') return false
  return Number.isSafeInteger(sequence) && Array.isArray(moves) && moves.every(isMove)
}

function isMove(value: unknown): boolean {
  const { name, oldOid, newOid } = fieldsOf(value)
  return typeof name === 'string' && typeof oldOid === 'string' && typeof newOid === 'string'
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
