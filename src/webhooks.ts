// Webhooks: sending them, and verifying those that were received.
import './check-node.cts'
