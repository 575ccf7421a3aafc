// Metrics of clients for Prometheus.
import './check-node.cts'
