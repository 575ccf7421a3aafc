/**
 * Sentences that tell what is the matter with a connection or an answer, and what to try. They are found by the words of
 * Node, OpenSSL and grpc-js, because grpc-js passes on nothing else.
 */

const useHttp = 'the server does not speak TLS on this port; use http:// (for gRPC grpc://), or its port with TLS'
const useAuthority =
  'no authority that the client trusts has signed the certificate of the server; give the certificate of its authority ' +
  'as tls: { ca }, or in the environment as NODE_EXTRA_CA_CERTS'

const closedAtOnce =
  'the server closed the connection before it had said anything; does it expect TLS (https://, for gRPC grpcs://)?'

/** The message for a connection that the server closed without a word. */
export function closedAtOnceMessage({ message }: Error): string {
  return `${closedAtOnce} (${message})`
}

/** By the code or the message of a failure; the first that matches counts. */
const ofFailures: readonly (readonly [words: RegExp, advice: string])[] = [
  [/wrong version number|WRONG_VERSION_NUMBER|packet length too long|PACKET_LENGTH_TOO_LONG/, useHttp],
  [
    /certificate has expired|CERT_HAS_EXPIRED/,
    'the certificate of the server has expired; renew it there, or set the clock of this machine'
  ],
  [
    /not yet valid|CERT_NOT_YET_VALID/,
    'the certificate of the server is not valid yet; is the clock of this machine right?'
  ],
  [
    /altnames|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH/,
    'the certificate of the server is for another host; name the host in the endpoint as the certificate does, or give ' +
      'its name as tls: { serverName }'
  ],
  [/UNABLE_TO_|SELF_SIGNED|self-signed certificate|unable to (verify|get (local )?issuer)/, useAuthority],
  [
    /alert certificate required|CERTIFICATE_REQUIRED/i,
    'the server asks for a certificate of the client; give it as tls: { cert, key }'
  ],
  [
    /alert (unknown ca|bad certificate|certificate expired)|ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_EXPIRED)/i,
    'the server does not accept the certificate of the client (tls: { cert, key })'
  ],
  [
    /before secure TLS connection was established/,
    'the server closed the connection during the TLS handshake; does it speak TLS on this port?'
  ],
  [/ECONNREFUSED/, 'nothing listens at this address; is the server running, and is this its port?'],
  [/ENOTFOUND|Name resolution failed/, 'no address is known for this host name; is it spelled right?'],
  [/EAI_AGAIN/, 'the host name could not be looked up; does name resolution (DNS) work on this machine?'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no route leads to this host; is the network up, and the address right?'],
  [/EADDRNOTAVAIL|EMFILE|ENFILE/, 'this machine has no free port or file left for another connection'],
  [
    /\bEACCES\b|\bEPERM\b/,
    'this machine does not permit the connection (a firewall, or --permission without --allow-net)'
  ],
  [
    /Protocol error|first bytes of the server/,
    'the server does not speak HTTP/2 on this port; is another service there, or does it expect TLS?'
  ],
  [/Failed to connect/, closedAtOnce],
  [/other side closed|ECONNRESET/, 'the connection broke']
]

/** The end of OpenSSL's line, which begins with numbers and ends with a file: `wrong version number`. */
const openSsl = /[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):\S*:\d+:(.*)/s
/** What grpc-js puts around the message of a socket. */
const grpcJs = /^No connection established\. Last error: (?:(?:\w*Error)(?: \[\w+\])?: )?(.*?)\.? Resolution note: *$/s

/** The message of a failure without the decoration of libraries. */
function bareMessage(message: string): string {
  const [, inner = message] = grpcJs.exec(message) ?? []
  return inner
    .replace(openSsl, '$1')
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/, '')
    .trim()
}

/** The message for a failure of the network, of TLS or of a library: the advice, and the words of Node. */
export function failureMessage(message: string, code = ''): string {
  const advice = ofFailures.find(([words]) => words.test(code) || words.test(message))?.[1]
  const bare = bareMessage(message)
  if (bare.startsWith('proxy ')) return bare
  if (advice === undefined) return `request failed: ${bare || code}`
  return bare === '' ? `${advice} (${code})` : `${advice} (${bare})`
}

const notThere = 'no blobwire server is at this address; are host and port right, and does a proxy pass every path on?'

/** By the HTTP status of an answer that is not the service's. */
const ofStatus: Readonly<Record<number, string>> = {
  400: 'the answer is not that of a blobwire server; are host, port and https:// right?',
  401: 'a proxy in front of the server asks for credentials',
  403: 'a proxy in front of the server refuses the request',
  404: notThere,
  405: notThere,
  407: 'the proxy asks for credentials; give them in connection: { proxy: "http://user:password@host:port" }',
  413: 'a proxy refuses the request because of its size',
  415: 'the server does not speak the HTTP form on this port; a port for gRPC answers so: use grpc://, or the HTTP port',
  421: notThere,
  426: notThere,
  429: 'a proxy refuses the request because there are too many',
  501: notThere,
  502: 'a proxy answers, and does not reach the server behind it',
  503: 'a proxy answers, and does not reach the server behind it',
  504: 'a proxy answers, and the server behind it does not in time'
}

/** The message for an answer that is not the service's. */
export function statusMessage(status: number): string {
  const advice = status >= 300 && status < 400 ? 'the client does not follow redirects' : ofStatus[status]
  return advice === undefined ? `HTTP status ${status}` : `HTTP status ${status}: ${advice}`
}

/** The message for an HTTP answer on a gRPC port. */
export function grpcStatusMessage(status: number): string {
  if (status !== 415) return statusMessage(status)
  return (
    'HTTP status 415: the server does not speak gRPC on this port; use its gRPC port, or give the http:// endpoint with ' +
    "transport: 'grpc', which finds it"
  )
}
