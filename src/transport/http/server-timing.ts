/** The time that a server says it took. Source: W3C "Server Timing". */

/** The duration of the metric `total` of a `Server-Timing` header, in milliseconds; undefined = the header does not say. */
export function serverMsOf(header: string | undefined): number | undefined {
  const [, duration] = /(?:^|,)\s*total\s*(?:;[^,]*?)?;\s*dur="?([0-9.]+)/.exec(header ?? '') ?? []
  return duration === undefined ? undefined : Number(duration)
}
