import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'

/** A bearer token, or a function (also async) that returns one. */
export type Token = string | (() => string | Promise<string>)

/** Characters a token may have. Source: RFC 6750 section 2.1, `b64token`. */
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/

/** Whether the text can stand in an `Authorization: Bearer` header. */
export function isToken(text: unknown): text is string {
  return typeof text === 'string' && tokenForm.test(text)
}

/** The form of tokens, and what keeps a value from being one. The value itself must not show. */
export function tokenProblem(value: unknown): string {
  const form = ': letters, digits and -._~+/, with = at the end'
  if (typeof value !== 'string') return `${form}, not ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}`
  if (/^bearer\s/i.test(value)) return `${form}, without the word Bearer in front`
  if (value === '') return `${form}, not an empty string`
  return value.trim() === value ? form : `${form}, without white space around it`
}

/** The token of an `Authorization` header of the scheme Bearer. */
export function bearerTokenOf(authorization: string | undefined): string | undefined {
  const token = /^bearer +(.*)$/i.exec(authorization ?? '')?.[1]
  return isToken(token) ? token : undefined
}

/** The `Authorization` header of requests and sessions. */
export class Credentials {
  readonly #token: Token
  readonly #clock: Clock
  readonly #timeoutMs: number
  #asking: Promise<string> | undefined

  /** A function that has not answered within `timeoutMs` has failed: it must not hold up what is called later. */
  constructor(token: Token, clock: Clock, timeoutMs: number) {
    this.#token = token
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** A function gives the token, and may give another one the next time. */
  get refreshable(): boolean {
    return typeof this.#token === 'function'
  }

  /**
   * The headers with the bearer token (RFC 6750). A function is asked each time; requests that come while it is being
   * asked share the one answer.
   * @throws BlobwireError `unauthenticated`, reason `token_source`
   */
  async addTo(headers: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    let token = this.#token
    if (typeof token === 'function') {
      this.#asking ??= this.#ask(token)
      token = await this.#asking
    }
    return { ...headers, authorization: `Bearer ${token}` }
  }

  async #ask(source: () => string | Promise<string>): Promise<string> {
    let answer: unknown
    try {
      answer = await this.#inTime(source)
    } catch (cause) {
      throw new BlobwireError({ reason: 'token_source', message: 'token() failed', cause })
    } finally {
      this.#asking = undefined
    }
    if (isToken(answer)) return answer
    // The answer itself must not show: it may be a token with a line feed behind it.
    const message = 'token() did not give a bearer token: letters, digits and -._~+/ with = at the end'
    throw new BlobwireError({ reason: 'token_source', message })
  }

  #inTime(source: () => string | Promise<string>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no answer within ${this.#timeoutMs} ms`))
      const cancel = this.#clock.schedule(this.#timeoutMs, late)
      new Promise((answer) => answer(source())).finally(cancel).then(resolve, reject)
    })
  }
}
