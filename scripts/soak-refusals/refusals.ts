/** The refusals that the clients of `npm run soak:refusals` ask for, and the counts of those that arrived. */
import { join } from 'node:path'

/** Protocols between a client, or its proxy, and the server. */
export const wires = ['h2c', 'TLS', 'HTTP/1.1'] as const
export type Wire = (typeof wires)[number]

/** Lengths of bodies, of which a client sends each as often as the others. */
export const bodyBytes = [0, 1, 1000, 16_384, 65_536, 100_000, 300_000, 1_000_000] as const

/** The server of a run, as its clients find it. */
export interface Target {
  readonly wire: Wire
  readonly url: URL
  /** The gRPC server. */
  readonly grpc: URL
  /** File of the authority under TLS. */
  readonly ca: string
  /** Has a file for each of `bodyBytes`. */
  readonly directory: string
}

/** A request that the server refuses without reading its body. */
export interface RefusedRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: number
  readonly status: number
}

/** How many refusals arrived. */
export interface Tally {
  readonly total: number
  readonly lost: number
  /** How the first of the lost ended. */
  readonly example: string | undefined
}

/** A client that is there, or why it is not. */
export interface SoakClient {
  readonly name: string
  /** Its part of all refusals, as a weight: a process for each refusal is slow. */
  readonly weight: number
  readonly wires: readonly Wire[]
  /** The program that is missing, or a library of it. */
  readonly missing: string | undefined
  refuse(target: Target, count: number): Promise<Tally>
}

const call = '/blobwire.v1.VcsService/StoreBlob'
const json = { 'content-type': 'application/json' }
const kinds: readonly Omit<RefusedRequest, 'bytes'>[] = [
  { path: call, headers: { ...json, authorization: 'Bearer wrong' }, status: 401 },
  { path: call, headers: json, status: 401 },
  { path: call, headers: { 'content-type': 'text/plain', authorization: 'Bearer good' }, status: 415 },
  { path: '/nothing', headers: json, status: 404 }
]

/** The first refusals of each kind and length, in turn. */
export function requestsOf(count: number): RefusedRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[Math.floor(index / bodyBytes.length) % kinds.length] as (typeof kinds)[number]
    return { ...kind, bytes: bodyBytes[index % bodyBytes.length] as number }
  })
}

/** The file that holds a body of this length. */
export function bodyFile(directory: string, bytes: number): string {
  return join(directory, `${bytes}.body`)
}

/** Counts the answers that are not as they should be. */
export function tallyOf(lostAnswers: readonly (string | undefined)[]): Tally {
  const lost = lostAnswers.filter((answer) => answer !== undefined)
  return { total: lostAnswers.length, lost: lost.length, example: lost[0] }
}
