/** Refusals of what needs Node. */

/** @throws Error */
export function refuse(problem: string): never {
  throw Object.assign(new Error(problem), { code: 'ERR_BLOBWIRE_RUNTIME' })
}

/** @throws Error */
export async function refuseFiles(instead: string): Promise<never> {
  return refuse(`the client reaches files by their path only on Node; ${instead}`)
}
