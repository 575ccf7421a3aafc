/** Problems of fields, which learn where they stand on their way up through the objects and lists around them. */
import { type BlobwireError, invalidArgument } from './error.ts'
import type { KnownReason } from './reasons.ts'

/** Carries the path of a wrong field up to the message it stands in. */
export class FieldProblem {
  path = ''
  readonly description: string
  readonly #reason: KnownReason | undefined

  constructor(description: string, { reason }: { readonly reason?: KnownReason } = {}) {
    this.description = description
    this.#reason = reason
  }

  within(step: string): this {
    const joins = this.path === '' || this.path.startsWith('[')
    this.path = joins ? step + this.path : `${step}.${this.path}`
    return this
  }

  /** The error of a message, or of the call of a method. */
  toError(method?: string): BlobwireError {
    const error = invalidArgument(this.path, this.description, method)
    return this.#reason === undefined ? error : error.with({ reason: this.#reason })
  }
}
