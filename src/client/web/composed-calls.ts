/** In the place of `client/composed-calls.ts`: loaded with the first such call. */
import type * as Replaced from '../composed-calls.ts'

export type { ComposedMethod } from '../composed-calls.ts'

export const composedCall: typeof Replaced.composedCall =
  (name) =>
  async (...given) =>
    (await import('../composed-calls.ts')).composedCall(name)(...given)
