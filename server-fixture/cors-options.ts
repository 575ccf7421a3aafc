/** Pages of other origins. */
export interface CorsOptions {
  /**
   * Origins as browsers name them, without a path: `https://app.example`, `http://localhost:5173`. `*` alone = any page, which
   * suits servers with tokens. `startServer` throws a RangeError for an origin that no browser sends.
   */
  readonly origins: readonly string[]
}
