/** The option `logger`: rare events of a client, in words and with fields. */
import type { ClientEvent, ClientEventName } from './client-event.ts'

/** Takes log entries: pino's loggers and `console` fit. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

interface Entry {
  readonly level: keyof Logger
  readonly message: string
}

const entries: Readonly<Record<ClientEventName, Entry>> = {
  breaker_opened: { level: 'warn', message: 'circuit breaker opened: calls to the endpoint keep failing' },
  breaker_closed: { level: 'info', message: 'circuit breaker closed: calls go to the endpoint again' },
  connection_opened: { level: 'debug', message: 'connection opened' },
  connection_failed: { level: 'warn', message: 'no connection to the endpoint' },
  connection_closed: { level: 'debug', message: 'connection closed' },
  session_lost: { level: 'info', message: 'session lost: its operations are sent again' },
  session_unavailable: { level: 'warn', message: 'no session with the endpoint: calls travel as unary requests' },
  transport_changed: { level: 'warn', message: 'another transport than the preferred one is used' },
  retry: { level: 'info', message: 'an attempt failed: the call gets another one' },
  transfer_stalled: { level: 'warn', message: 'no byte of a transfer moved for too long' },
  slow_call: { level: 'warn', message: 'slow call' },
  observer_failed: { level: 'error', message: 'an observer threw: its later exceptions are not told' }
}

/** Writes an event; fields that are not known are left out. */
export function log(logger: Logger, event: ClientEvent): void {
  const { level, message } = entries[event.event]
  const fields = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined))
  return logger[level](fields, `blobwire: ${message}`)
}
