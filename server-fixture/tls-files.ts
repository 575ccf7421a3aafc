/** The certificates of a server. */

/** Certificates of a server, in PEM. */
export interface TlsFiles {
  readonly cert: Uint8Array | string
  readonly key: Uint8Array | string
  /** Authority of the client certificates that the server then requires. @default none are asked for */
  readonly ca?: Uint8Array | string | undefined
}

/** @internal As Node's servers and grpc-js take them. */
export function tlsBuffers({ cert, key, ca }: TlsFiles) {
  const certificates = { cert: Buffer.from(cert), key: Buffer.from(key) }
  const isRequired = ca !== undefined
  const clients = { requestCert: isRequired, rejectUnauthorized: isRequired }
  return isRequired ? { ...certificates, ...clients, ca: Buffer.from(ca) } : { ...certificates, ...clients }
}
