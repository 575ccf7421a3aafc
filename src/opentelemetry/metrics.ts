/** Metrics of clients as observable instruments, and durations of calls as an observer. */
import {
  type Attributes,
  type BatchObservableResult,
  type MeterProvider,
  metrics,
  type Observable
} from '@opentelemetry/api'
import type { CallObserver, CallOutcome, Observer, StartedCall } from '../index.ts'
import { type Family, families } from '../metrics/families.ts'
import { type MeasuredClients, statsOf } from '../metrics/measured-clients.ts'
import { AttributeCache, KnownReasons, statusOf } from './attributes.ts'

/** Options of `meterClients` and `callDurations`. */
export interface MeteringOptions {
  /**
   * Makes the meter. Without it, the provider that the application registered with `@opentelemetry/api` before.
   * @default the registered provider
   */
  meterProvider?: MeterProvider | undefined
}

const meterName = 'blobwire'

/** Boundaries that the conventions advise for `rpc.client.call.duration`, in seconds. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** `sent_bytes_total` -> `blobwire.client.sent_bytes`: names of OpenTelemetry have no suffix for counters. */
const nameOf = ({ name }: Family) => `blobwire.client.${name.replace(/_total$/, '')}`

/**
 * Registers the counts of clients as observable instruments, the same that `blobwire/prometheus` has, each with the attribute
 * `blobwire.client`. The clients count in any case: nothing is read until a reader collects. Returns the function that takes
 * the instruments out again. Latencies are histograms, which cannot be observed: `callDurations` records them.
 * @example
 * const unregister = meterClients(client)
 */
export function meterClients(clients: MeasuredClients, options: MeteringOptions = {}): () => void {
  const meter = (options.meterProvider ?? metrics).getMeter(meterName)
  const instruments = families
    .filter(({ type }) => type !== 'histogram')
    .map((family): readonly [Family, Observable] => {
      const told = { description: family.help, unit: unitOf(family) }
      const name = nameOf(family)
      const isCounter = family.type === 'counter'
      return [family, isCounter ? meter.createObservableCounter(name, told) : meter.createObservableGauge(name, told)]
    })
  const observe = (result: BatchObservableResult) => {
    for (const [client, stats] of statsOf(clients)) {
      for (const [{ samples }, instrument] of instruments) {
        for (const { labels, value } of samples(stats)) {
          if (typeof value === 'number') result.observe(instrument, value, { 'blobwire.client': client, ...labels })
        }
      }
    }
  }
  const observables = instruments.map(([, instrument]) => instrument)
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

/** Units after UCUM. */
function unitOf({ name }: Family): string {
  if (/_bytes(_total)?$/.test(name)) return 'By'
  return name.endsWith('_ratio') ? '1' : ''
}

/**
 * Records `rpc.client.call.duration` in seconds, after the semantic conventions for RPC metrics: pass it in the option
 * `observers`.
 */
export function callDurations(options: MeteringOptions = {}): Observer {
  const meter = (options.meterProvider ?? metrics).getMeter(meterName)
  const histogram = meter.createHistogram('rpc.client.call.duration', {
    description: 'Durations of calls, from the start of the call to its result.',
    unit: 's',
    advice: { explicitBucketBoundaries: boundaries }
  })
  const cache = new AttributeCache()
  const reasons = new KnownReasons()
  const record = (rpc: string, { durationMs, error, endpoint, transport }: CallOutcome) => {
    const known: Attributes =
      endpoint === undefined || transport === undefined
        ? { 'rpc.method': rpc }
        : cache.ofAttempt(rpc, endpoint, transport)
    histogram.record(
      durationMs / 1000,
      error === undefined ? known : { ...known, ...reasons.bounded(statusOf(error, transport)) }
    )
  }
  return {
    callStarted: ({ rpc }: StartedCall): CallObserver => ({ ended: (outcome) => record(rpc, outcome) })
  }
}
