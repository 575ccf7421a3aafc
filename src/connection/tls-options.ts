/** Options of TLS. */
/** PEM text or bytes. */
export type Pem = string | Uint8Array

/** How `https://` and `grpcs://` endpoints are trusted, and how the client shows who it is. */
export interface TlsOptions {
  /**
   * Certificates (PEM) of the authorities to trust, instead of those that Node ships.
   * @default Node's own list
   */
  ca?: Pem | readonly Pem[] | undefined
  /**
   * Client certificate chain (PEM), for servers that ask for one. Goes with `key`.
   * @default none
   */
  cert?: Pem | undefined
  /**
   * Private key (PEM) of `cert`.
   * @default none
   */
  key?: Pem | undefined
  /**
   * Name the server's certificate must carry.
   * @default the endpoint's host
   */
  serverName?: string | undefined
  /**
   * Oldest version of TLS that is spoken.
   * @default 'TLSv1.2'
   */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}
