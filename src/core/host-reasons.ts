/** Reasons about the hosts that a client gives, and that a server answers to. */

export const hostRows = {
  downgrade_refused: {
    code: 'failed_precondition',
    text: 'The TLS endpoint named a cleartext gRPC address; the client does not use it.'
  },
  host_refused: {
    code: 'failed_precondition',
    text: 'The endpoint named a gRPC address at a host that was not given; the client does not use it.'
  },
  unknown_host: {
    code: 'permission_denied',
    text: 'The server, or its admin port, does not answer to the name in the request; `--hosts` names others (docs/operating.md).'
  }
} as const
