/** HAProxy in front of several servers on one database. docs/replicas.md shows it, with the usual ports. */

/** Ports of HAProxy. */
export interface FrontPorts {
  readonly http: number
  readonly grpc: number
}

/** `host:port` of the listeners of one server. */
export interface Replica {
  readonly http: string
  readonly grpc: string
}

/** HTTP/2 on both sides; each stream goes to the server with the fewest. */
export function replicasConfiguration({ http, grpc }: FrontPorts, replicas: readonly Replica[]): string {
  const server = (address: string, index: number, check = '') =>
    `  server replica${index + 1} ${address} proto h2${check}\n`
  const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1)
  return `global
  maxconn 1000
defaults
  mode http
  timeout connect 1s
  # Longer than the 90 s after which an unused session ends.
  timeout client 120s
  timeout server 120s
  # A stream whose server cannot be connected to goes to another one.
  retries 3
  option redispatch 1
  option httpchk
  http-check send meth GET uri /health/ready ver HTTP/2 hdr host localhost
  default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
frontend http_front
  bind 127.0.0.1:${http} proto h2
  default_backend http_replicas
backend http_replicas
  balance leastconn
${replicas.map((replica, index) => server(replica.http, index)).join('')}frontend grpc_front
  bind 127.0.0.1:${grpc} proto h2
  default_backend grpc_replicas
backend grpc_replicas
  balance leastconn
${replicas.map((replica, index) => server(replica.grpc, index, ` port ${portOf(replica.http)}`)).join('')}`
}
