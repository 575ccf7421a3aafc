/** Traces and metrics of clients for OpenTelemetry, on `@opentelemetry/api` (an optional peer dependency). */
import './check-node.cts'

export type { MeasuredClient, MeasuredClients, MeasuredRegistry } from './metrics/measured-clients.ts'
export { callDurations, type MeteringOptions, meterClients } from './opentelemetry/metrics.ts'
export { type TracingOptions, tracing } from './opentelemetry/tracing.ts'
