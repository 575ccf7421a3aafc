/** Calls counted by their method. */
import type { BlobwireError } from '../core/error.ts'
import { type FailureCount, FailureCounts } from '../core/failure-counts.ts'
import { type LatencyBuckets, LatencyHistogram } from '../core/latency-histogram.ts'
import type { Method } from '../schema/descriptor.ts'

/** Calls of one method that have ended. Methods are those that the client sends: see `StartedCall.method`. */
export interface MethodStats {
  /** Such as `storeBlob`, `batchOperations` or `uploadBlob`. */
  method: string
  /** Calls that succeeded: their number and durations, from the start of the call to its result. */
  latency: LatencyBuckets
  /** Calls that failed, by code and reason. */
  failures: FailureCount[]
}

class MethodCounts {
  readonly latency = new LatencyHistogram()
  readonly failures = new FailureCounts()
}

/** One row for each method; a row is found without a look-up where the method is that of the call before. */
export class CallCounts {
  readonly #rows = new Map<Method, MethodCounts>()
  #lastMethod: Method | undefined
  #last = new MethodCounts()

  succeeded(method: Method, durationMs: number): void {
    if (method !== this.#lastMethod) this.#select(method)
    this.#last.latency.record(durationMs)
  }

  failed(method: Method, error: BlobwireError): void {
    this.#select(method)
    this.#last.failures.add(error)
  }

  all(nameOf: (method: Method) => string): MethodStats[] {
    return [...this.#rows].map(([method, { latency, failures }]) => ({
      method: nameOf(method),
      latency: latency.buckets(),
      failures: failures.all()
    }))
  }

  #select(method: Method): void {
    let row = this.#rows.get(method)
    if (row === undefined) {
      row = new MethodCounts()
      this.#rows.set(method, row)
    }
    this.#lastMethod = method
    this.#last = row
  }
}
