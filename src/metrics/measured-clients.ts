/** The clients that metrics are read from. */
import type { ClientStats } from '../index.ts'

/** A client, as far as its metrics go. */
export interface MeasuredClient {
  stats(): ClientStats
}

/** A registry of clients, as far as their metrics go: the statistics of its clients by their names. */
export interface MeasuredRegistry {
  stats(): { readonly clients: Readonly<Record<string, ClientStats | undefined>> }
}

/** One client, several by their names, or a registry. */
export type MeasuredClients = MeasuredClient | MeasuredRegistry | Readonly<Record<string, MeasuredClient>>

/** The statistics of all clients by name, as of now. */
export type ReadStats = () => readonly (readonly [name: string, stats: ClientStats])[]

export function statsOf(clients: MeasuredClients): ReturnType<ReadStats> {
  if (typeof clients.stats !== 'function') {
    return Object.entries(clients as Readonly<Record<string, MeasuredClient>>).map(([name, client]) => [
      name,
      client.stats()
    ])
  }
  const found = (clients as MeasuredClient | MeasuredRegistry).stats()
  if (!('clients' in found)) return [['default', found]]
  return Object.entries(found.clients).flatMap(([name, stats]) => (stats === undefined ? [] : [[name, stats] as const]))
}
