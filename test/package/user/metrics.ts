/** Metrics and traces, as a program has them that has the optional peers of the package. */
import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import { type Client, createClient } from 'blobwire'
import { callDurations, type MeteringOptions, meterClients, type TracingOptions, tracing } from 'blobwire/opentelemetry'
import {
  type MeasuredClient,
  type MeasuredClients,
  type MeasuredRegistry,
  type PrometheusMetrics,
  type PrometheusOptions,
  prometheusMetrics
} from 'blobwire/prometheus'
import { Registry } from 'prom-client'

/** A client whose calls are spans. */
export function traced(endpoint: string, tracerProvider: TracerProvider, meterProvider: MeterProvider): Client {
  const spans: TracingOptions = { tracerProvider, attempts: 'repeated', events: true }
  const meters: MeteringOptions = { meterProvider }
  return createClient({ endpoint, observers: [tracing(spans), callDurations(meters)] })
}

export async function measured(client: MeasuredClient, registry: MeasuredRegistry): Promise<string> {
  const clients: MeasuredClients = { shop: client }
  const stop = meterClients(registry)
  const options: PrometheusOptions = { register: new Registry(), prefix: 'shop_' }
  const metrics: PrometheusMetrics = prometheusMetrics(clients, options)
  const text = await metrics.register.metrics()
  metrics.remove()
  stop()
  return text
}
