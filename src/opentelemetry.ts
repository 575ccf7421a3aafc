// Traces and metrics of clients for OpenTelemetry.
import './check-node.cts'
