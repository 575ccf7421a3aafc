/** What a call may do to a repository. */
export type Access = 'read' | 'write'

/** Who calls. */
export interface Principal {
  /** Whether the caller has this right on the repository. A right to write is one to read. */
  may(access: Access, repository: string): boolean
}

/** What a call brings along besides its request. */
export interface Context {
  readonly principal: Principal
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly requestId: string
}
