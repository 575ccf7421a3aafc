import type { Authenticator } from './auth.ts'
import type { Faults } from './faults/faults.ts'
import type { Service } from './service/service.ts'

/** Certificates of the doors. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
  /** Authority of the client certificates that are asked for. */
  readonly ca?: Buffer
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
}

/** Where a door opens and with which certificates. */
export interface DoorOptions {
  readonly host: string
  readonly port: number
  readonly tls: TlsFiles | undefined
  /** Called for what went wrong on a connection; never fatal. */
  readonly onProblem: (error: unknown) => void
}

/** What every door stands on. */
export interface DoorParts {
  readonly service: Service
  readonly authenticator: Authenticator
  /** What goes wrong on command. */
  readonly faults?: Faults | undefined
  /** How long the headers of a request, and then its body, may take to come. */
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
}

/** An open door. */
export interface Door {
  readonly port: number
  /** Refuses new work, answers what was accepted, and closes. */
  close(): Promise<void>
}
