/** The reasons of errors of runtimes other than Node, for the table of `reason-rows.ts`. */

/** About this program, not about the endpoint. */
const ofRuntime = { transportFallback: false, sessionFallback: false, breaker: 'none' } as const

export const runtimeRows = {
  browser_refused: {
    code: 'failed_precondition',
    text: 'The browser lets no answer of the server reach the page; the message tells which of its rules is broken.',
    ...ofRuntime
  },
  not_in_runtime: {
    code: 'unimplemented',
    text: 'This runtime has no files, sockets or gRPC; the message tells what to use instead (docs/runtimes.md).',
    ...ofRuntime
  }
} as const
