/** The choice between HTTP/2 and HTTP/1.1. */

/** Decides which version of HTTP the endpoint speaks, by the events of its connections. */
export interface Negotiation {
  /** Where the endpoint speaks HTTP/1.1: the error of streams over HTTP/2. */
  readonly refusal: Error | undefined
  /** TLS negotiated HTTP/1.1. */
  onHttp1(): void
  /** An answer has come over HTTP/2. */
  onAnswer(): void
  /** Calls back with the error of a stream; later, where the endpoint is asked whether it speaks HTTP/1.1. */
  explain(error: Error, onError: (error: unknown) => void): void
}
