/** Options of TLS. */
/** PEM text or bytes, such as `readFileSync('ca.pem')`; a path is refused. */
export type Pem = string | Uint8Array

/** TLS of `https://` and `grpcs://` endpoints: the trusted authorities and the client's own certificate. */
export interface TlsOptions {
  /**
   * Certificates (PEM) of the trusted authorities. They replace Node's own list.
   * @default Node's own list
   */
  ca?: Pem | readonly Pem[] | undefined
  /**
   * Client certificate chain (PEM), for servers that require one. `key` is required with it.
   * @default none
   */
  cert?: Pem | undefined
  /**
   * Private key (PEM) of `cert`. `cert` is required with it.
   * @default none
   */
  key?: Pem | undefined
  /**
   * Host name that the server's certificate must be valid for.
   * @default the endpoint's host
   */
  serverName?: string | undefined
  /**
   * Oldest version of TLS that the client accepts.
   * @default 'TLSv1.2'
   */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}
