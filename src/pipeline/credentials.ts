import { BlobwireError } from '../core/error.ts'
import type { Interceptor } from './layer.ts'

/** A bearer token, or what fetches one. */
export type Token = string | (() => string | Promise<string>)

/** Characters a token may have. Source: RFC 6750 section 2.1, `b64token`. */
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/

/** Whether the text can stand in an `Authorization: Bearer` header. */
export function isToken(text: unknown): text is string {
  return typeof text === 'string' && tokenForm.test(text)
}

/**
 * Adds the bearer token (RFC 6750). A function is asked before each request; requests that come while it is being asked
 * share the one answer.
 */
export function credentials(token: Token): Interceptor {
  let asking: Promise<string> | undefined

  async function ask(source: () => string | Promise<string>): Promise<string> {
    let answer: unknown
    try {
      answer = await source()
    } catch (cause) {
      throw new BlobwireError({ code: 'unauthenticated', reason: 'token_source', message: 'token() failed', cause })
    } finally {
      asking = undefined
    }
    if (isToken(answer)) return answer
    // The answer itself must not show: it may be a token with a line feed behind it.
    const message = 'token() did not give a bearer token: letters, digits and -._~+/ with = at the end'
    throw new BlobwireError({ code: 'unauthenticated', reason: 'token_source', message })
  }

  return async (call, next) => {
    let value = token
    if (typeof value === 'function') {
      asking ??= ask(value)
      value = await asking
    }
    return next({ ...call, headers: { ...call.headers, authorization: `Bearer ${value}` } })
  }
}
