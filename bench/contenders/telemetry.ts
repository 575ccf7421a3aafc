/** What listens to a client, for the measurements of what that costs. */
import { context, type MeterProvider as Meters, propagation } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader
} from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { Registry } from 'prom-client'
import type { ClientOptions, ClientStats } from '../../src/index.ts'
import { callDurations, type TracingOptions, tracing } from '../../src/opentelemetry.ts'
import { prometheusMetrics } from '../../src/prometheus.ts'

/** Takes spans as an exporter does, and drops them: the network's share is the exporter's. */
const dropping: SpanExporter = {
  export: (_spans, resultCallback) => resultCallback({ code: 0 }),
  forceFlush: async () => undefined,
  shutdown: async () => undefined
}

/** Every call is traced and exported, by the SDK's own batches. */
export function tracesEveryCall(options: Omit<TracingOptions, 'tracerProvider'> = {}): Partial<ClientOptions> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const processor = new BatchSpanProcessor({ exporter: dropping, maxQueueSize: 100_000, maxExportBatchSize: 5000 })
  const tracerProvider = new TracerProvider({ spanProcessors: [processor] })
  return { observers: [tracing({ ...options, tracerProvider })] }
}

/** A sampler that records nothing: what calls of the unsampled share cost. */
export function tracesNoCall(): Partial<ClientOptions> {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  return { observers: [tracing({ tracerProvider: new TracerProvider({ sampler: new AlwaysOffSampler() }) })] }
}

/** The histogram of OpenTelemetry, collected every second. */
export function recordsDurations(): Partial<ClientOptions> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1000, exportTimeoutMillis: 900 })
  const meterProvider: Meters = new MeterProvider({ readers: [reader] })
  return { observers: [callDurations({ meterProvider })] }
}

/** A scrape of Prometheus every second. Returns the function that ends them. */
export function scrapes(client: { stats(): ClientStats }): () => void {
  const { register } = prometheusMetrics(client, { register: new Registry() })
  const timer = setInterval(() => void register.metrics(), 1000)
  return () => clearInterval(timer)
}
