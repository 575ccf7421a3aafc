/** In the place of `client/other-operations.ts`: loaded with the first call that is not of a blob. */
import type * as Replaced from '../other-operations.ts'

let loaded: typeof Replaced | undefined
let loading: Promise<unknown> | undefined

/** Undefined = the calls are loaded. */
export function loadOthers(): Promise<unknown> | undefined {
  if (loaded !== undefined) return undefined
  loading ??= import('../other-operations.ts').then(
    (others) => {
      loaded = others
    },
    (error) => {
      // The network was down, perhaps.
      loading = undefined
      throw error
    }
  )
  return loading
}

/** Calls load the others before they come here. */
const others = () => loaded as typeof Replaced

export const shapeOf: typeof Replaced.shapeOf = (name) => others().shapeOf(name)

export const requestOf: typeof Replaced.requestOf = (name) => others().requestOf(name)

/** Clients make their verifiers before anything is loaded. */
export const otherVerifier: typeof Replaced.otherVerifier = (name, verify) => (request, response) =>
  others().otherVerifier(name, verify)?.(request, response)
