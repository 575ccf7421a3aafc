/** In the place of `core/advice.ts`: `fetch` tells little, so that there is little to advise. */

const notThere = 'no blobwire server is at this address; are host and port right, and does a proxy pass every path on?'

/** The message for a failure of the network, with the words of the runtime. */
export function failureMessage(message: string, code = ''): string {
  return `request failed: ${message || code}`
}

/** The message for an answer that is not the service's. */
export function statusMessage(status: number): string {
  if (status >= 300 && status < 400) return `HTTP status ${status}: the client does not follow redirects`
  if ([404, 405, 415, 421, 501].includes(status)) return `HTTP status ${status}: ${notThere}`
  return `HTTP status ${status}: the answer is not that of a blobwire server, perhaps that of a proxy`
}
