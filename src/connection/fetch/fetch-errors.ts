/** The errors of `fetch`, which tells a page nothing: neither whether the server was reached, nor why it was not. */
import { failureFromErrno } from '../../core/errno.ts'
import { BlobwireError } from '../../core/error.ts'
import { type Endpoint, hostOf, originOf } from '../endpoint.ts'
import { isOffline, pageLocation } from './page.ts'

/** Deno's words for a connection that could not be had; Node and Bun have codes. */
const neverConnected = /client error \(Connect\)/

/** Host names of this machine, which pages with TLS may reach without. */
const isLoopback = (host: string) => host === '::1' || /^127\.|(^|\.)localhost$/.test(host)

/**
 * The error of a request without an answer. `isKept` asks whether the server is there and the browser keeps its answers from
 * the page; undefined = it has answered before, or this is no page. Errors with a code that `core/errno.ts` knows stay.
 */
export async function failureOfFetch(
  exception: unknown,
  endpoint: Endpoint,
  isKept: (() => Promise<boolean>) | undefined
): Promise<unknown> {
  const { cause } = (exception ?? {}) as { readonly cause?: unknown }
  const known = [exception, cause].find((error) => failureFromErrno(error) !== undefined)
  if (known !== undefined) return known
  const words = wordsOf(exception)
  const server = originOf(endpoint)
  const page = pageLocation()
  const refused = (message: string) => new BlobwireError({ reason: 'browser_refused', message, cause: exception })
  if (page?.protocol === 'https:' && !endpoint.secure && !isLoopback(hostOf(endpoint))) {
    return refused(`a page with TLS may not reach ${server}, which has none: serve it over https://`)
  }
  if (page && (await isKept?.())) {
    return refused(
      `${server} is there, and the browser keeps its answers from ${page.origin}: name this origin to the server, ` +
        `--cors-origins ${page.origin}`
    )
  }
  const message = isOffline()
    ? `this machine is offline (${words})`
    : `${server} cannot be reached; is it running, is the address right, and is its certificate trusted here? (${words})`
  const sent = neverConnected.test(words) ? 'never' : 'maybe'
  return new BlobwireError({ code: 'unavailable', message, sent, cause: exception })
}

/** The error of an answer that broke off. */
export function answerBroke(exception: unknown): BlobwireError {
  const message = `the answer broke off (${wordsOf(exception)})`
  return new BlobwireError({ code: 'unavailable', message, sent: 'maybe', cause: exception })
}

function wordsOf(exception: unknown): string {
  return exception instanceof Error ? exception.message || exception.name : String(exception)
}
