/** The configurations of the proxies. docs/proxies.md explains the important lines. */
import { join } from 'node:path'

/** The ports of a proxy, on loopback and cleartext. */
export interface Ports {
  /** In front of the fixture's HTTP server. */
  readonly http: number
  /** In front of the fixture's gRPC server. */
  readonly grpc: number
  /** In front of the HTTP server, for HTTP/1.1, where that needs a port of its own. */
  readonly http1: number
  /** Caddy's administration. */
  readonly admin: number
}

/** The variables of a configuration. */
export interface ConfigurationOptions {
  readonly listen: Ports
  /** Host and port of the fixture's listeners. */
  readonly upstream: { readonly http: string; readonly grpc: string }
  /** For pid files and temporary files. */
  readonly directory: string
  /** Version of the program. */
  readonly version: string
}

/** nginx 1.25.1 and newer tell HTTP/1.1 and HTTP/2 apart on one cleartext port, and have a directive for it. */
function nginxListen(port: number, version: string): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const isNewer = major > 1 || minor > 25 || (minor === 25 && patch >= 1)
  return isNewer ? `listen 127.0.0.1:${port}; http2 on;` : `listen 127.0.0.1:${port} http2;`
}

function nginx({ listen, upstream, directory, version }: ConfigurationOptions, httpLocation: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr warn;
# A worker that is shutting down has this long for its streams.
worker_shutdown_timeout 5s;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((kind) => `${kind}_temp_path ${join(directory, kind)};`).join('\n  ')}
  # A session is one request body without end: any limit ends it after so many bytes.
  client_max_body_size 0;
  # Longer than the 90 s after which an unused session ends.
  client_body_timeout 120s;
  grpc_read_timeout 120s;
  grpc_send_timeout 120s;
  proxy_read_timeout 120s;
  # The name that the client asked for; by default it is that of the upstream.
  proxy_set_header Host $host;
  grpc_set_header Host $host;
  upstream http_server { server ${upstream.http}; keepalive 32; }
  upstream grpc_server { server ${upstream.grpc}; keepalive 32; }
  server {
    ${nginxListen(listen.http, version)}
    location / { ${httpLocation} }
  }
  server {
    listen 127.0.0.1:${listen.http1};
    location / { ${httpLocation} }
  }
  server {
    ${nginxListen(listen.grpc, version)}
    location / { grpc_pass grpc://grpc_server; }
  }
}
`
}

/** The usual configuration: HTTP/1.1 behind nginx, which reads a request to its end before it passes it on. */
export function nginxConfiguration(options: ConfigurationOptions): string {
  return nginx(
    options,
    // Directives in a location replace all of this kind above it. Packs come and go as the server and its client send them.
    'proxy_pass http://http_server; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; ' +
      'proxy_buffering off; proxy_request_buffering off;'
  )
}

/** HTTP/2 behind nginx: `grpc_pass` takes any request, and passes bodies on as they come. */
export function nginxHttp2Configuration(options: ConfigurationOptions): string {
  return nginx(options, 'grpc_pass grpc://http_server;')
}

/** HTTP/2 to the server; clients of HTTP/1.1 and HTTP/2 are told apart by their first bytes. */
export function haproxyConfiguration({ listen, upstream }: ConfigurationOptions): string {
  const sections = (['http', 'grpc'] as const).map(
    (protocol) => `frontend ${protocol}_front
  bind 127.0.0.1:${listen[protocol]}
  default_backend ${protocol}_server
backend ${protocol}_server
  server fixture ${upstream[protocol]} proto h2
`
  )
  return `global
  maxconn 1000
  # A worker that is shutting down has this long for its streams.
  hard-stop-after 5s
defaults
  mode http
  timeout connect 5s
  # Longer than the 90 s after which an unused session ends.
  timeout client 120s
  timeout server 120s
${sections.join('')}`
}

/** HTTP/2 on both sides. */
export function caddyConfiguration({ listen, upstream }: ConfigurationOptions): string {
  const sections = (['http', 'grpc'] as const).map(
    (protocol) => `http://127.0.0.1:${listen[protocol]} {
  bind 127.0.0.1
  reverse_proxy h2c://${upstream[protocol]}
}
`
  )
  return `{
  admin 127.0.0.1:${listen.admin}
  auto_https off
  # A server that is shutting down has this long for its streams.
  grace_period 5s
  servers {
    protocols h1 h2c
  }
}
${sections.join('')}`
}
