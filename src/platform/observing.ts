/** More functions that differ between runtimes, as platform.ts has them: warnings, channels, and asynchronous scopes. */

/** `warnings.ts`: problems that no call can report. */
export interface WarningFunctions {
  emitWarning(problem: string, exception: unknown): void
}

/** A channel of messages for whoever subscribes in this process. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean
  publish(message: object): void
}

/** `diagnostics.ts`: the channels of a client's calls, attempts and events. A runtime without channels has no subscribers. */
export interface DiagnosticsFunctions {
  readonly channels: Readonly<
    Record<'callStart' | 'callEnd' | 'attemptStart' | 'attemptEnd' | 'event', DiagnosticsChannel>
  >
  /** Of calls and attempts; asked at each call. */
  isCallChannelSubscribed(): boolean
}

/** The asynchronous work that a function begins. */
export interface AsyncScope {
  run<Result>(work: () => Result): Result
  /** Whether the caller is part of it. */
  isWithin(): boolean
}

/** `async-scope.ts`: a runtime that cannot tell says that everything meanwhile is within. */
export interface AsyncScopeFunctions {
  newAsyncScope(): AsyncScope
}
