/** The flags of the server: one table, from which `--help`, the command `blobwire serve` and its completion are made. */

/** One flag, in the form in which `parseArgs` takes it, too. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly default?: string
  /** Stands for the value in the help, such as `DIR`; `FILE` and `DIR` are completed as such. A flag without it has none. */
  readonly value?: string
  /** Where the value is one of a few. */
  readonly choices?: readonly string[]
  readonly help: string
}

/** All flags, in the order of the help. */
export const flags = {
  'http-port': {
    type: 'string',
    default: '4100',
    value: 'N',
    help: 'port of the HTTP server, 0 = any free port (default 4100)'
  },
  'grpc-port': {
    type: 'string',
    default: '4101',
    value: 'N',
    help: 'port of the gRPC server, 0 = any free port (default 4101)'
  },
  host: { type: 'string', default: '127.0.0.1', value: 'H', help: 'address to listen on (default 127.0.0.1)' },
  hosts: {
    type: 'string',
    value: 'NAME[,NAME…]',
    help: 'names by which a server without tokens may be asked, besides localhost and its address; * = any (docs/operating.md)'
  },
  store: {
    type: 'string',
    default: 'memory',
    value: 'S',
    choices: ['memory', 'git', 'postgres'],
    help: 'memory, git or postgres (default memory)'
  },
  data: { type: 'string', value: 'DIR', help: 'directory of the git store, or of the embedded database' },
  database: {
    type: 'string',
    value: 'URL[,URL…]',
    help: 'database of the postgres store: standbys of one primary, or entry points of one cluster; embedded = the database that npm brings, shared by servers with the same --data (docs/operating.md)'
  },
  'database-password-file': {
    type: 'string',
    value: 'FILE',
    help: 'password of the database, read for each connection (default: the variable PGPASSWORD)'
  },
  workers: {
    type: 'string',
    value: 'N|auto',
    help: 'processes that serve both ports together, auto = one for each core; postgres store only (docs/replicas.md)'
  },
  housekeeping: {
    type: 'string',
    value: 'on|off',
    choices: ['on', 'off'],
    help: 'whether the git store joins packs in the background (default on)'
  },
  'grace-period-hours': {
    type: 'string',
    value: 'N',
    help: 'time that new objects survive every git gc, reached by a ref or not (default 336)'
  },
  'token-file': {
    type: 'string',
    value: 'FILE',
    help: 'file with a bearer token that has all rights (default: the variables BLOBWIRE_SERVER_TOKEN_FILE and BLOBWIRE_SERVER_TOKEN)'
  },
  token: { type: 'string', value: 'T', help: 'the token itself, which other users of the machine can see' },
  tokens: {
    type: 'string',
    value: 'FILE',
    help: 'JSON list of { token, name?, access: "read"|"write"|"none", repositories: ["name", "team/*", "*"], operate?: true, expires? }; operate = metrics, dashboard and details of health'
  },
  tracing: {
    type: 'boolean',
    help: 'traces with the OpenTelemetry SDK that the process has, such as by node --import ./otel.mjs'
  },
  webhooks: {
    type: 'string',
    value: 'FILE',
    help: 'where moves of refs are told as push events, YAML or JSON (docs/webhooks.md)'
  },
  'admin-port': {
    type: 'string',
    value: 'N',
    help: 'port for metrics, dashboard and health without a token, 0 = any free port (default: none)'
  },
  'admin-host': { type: 'string', value: 'H', help: 'address of the admin port (default 127.0.0.1)' },
  'tls-cert': { type: 'string', value: 'FILE', help: 'certificate chain (PEM), together with --tls-key' },
  'tls-key': { type: 'string', value: 'FILE', help: 'its private key (PEM)' },
  'cors-origins': {
    type: 'string',
    value: 'URL[,URL…]',
    help: 'origins of pages that may use the HTTP server from a browser, such as https://app.example; * = any (docs/connect.md)'
  },
  'client-ca': { type: 'string', value: 'FILE', help: 'require client certificates of this authority (PEM)' },
  'max-in-flight-bytes': {
    type: 'string',
    value: 'N',
    help: 'bytes that all requests in flight hold together (default 64 MiB)'
  },
  'max-connection-in-flight-bytes': {
    type: 'string',
    value: 'N',
    help: 'the same of one connection (default 32 MiB)'
  },
  'max-upload-bytes': {
    type: 'string',
    value: 'N',
    help: 'bytes that unfinished uploads of large blobs hold together (default 20 GiB)'
  },
  'upload-idle-seconds': {
    type: 'string',
    value: 'N',
    help: 'time after which an upload is removed that received nothing (default 86400)'
  },
  'headers-timeout-ms': { type: 'string', value: 'N', help: 'time for handshakes and headers (default 10000)' },
  'body-timeout-ms': { type: 'string', value: 'N', help: 'time for a body or message (default 30000)' },
  'idle-timeout-ms': {
    type: 'string',
    value: 'N',
    help: 'time that a connection or stream may do nothing (default 120000)'
  },
  'call-timeout-ms': { type: 'string', value: 'N', help: 'time for a call without a deadline (default 120000)' },
  'min-free-bytes': {
    type: 'string',
    value: 'N',
    help: 'free bytes on the disk of the data, with fewer of which the server is not ready (default 256 MiB)'
  },
  'max-push-bytes': { type: 'string', value: 'N', help: 'bytes of the pack of one git push (default 5 GiB)' },
  'git-cache': {
    type: 'string',
    value: 'DIR',
    help: 'directory of exports, from which git clones repositories of other stores than the git store (default: below --data, or a temporary directory; docs/git-http.md)'
  },
  'max-git-processes': {
    type: 'string',
    value: 'N',
    help: 'git processes at once that make or take in packs; others wait (default: two for each core)'
  },
  'git-timeout-ms': { type: 'string', value: 'N', help: 'time for one clone, fetch or push (default 3600000)' },
  'access-log': {
    type: 'string',
    value: 'FILE',
    help: 'a line of JSON for each request and frame; - = standard output, stderr = standard error'
  },
  'access-log-detail': {
    type: 'string',
    value: 'D',
    choices: ['frames', 'operations'],
    help: 'frames, or operations for a line for each operation of a frame (default frames)'
  },
  faults: { type: 'string', value: 'FILE', help: 'faults to make (docs/testing.md)' },
  'effect-log': { type: 'string', value: 'FILE', help: 'write one line of JSON for each change of the store' },
  help: { type: 'boolean', help: 'show this' }
} as const satisfies Record<string, Flag>
