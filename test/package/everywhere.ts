/** What the program `user/everywhere.mjs` prints, and what it needs. */

/** The addresses of the server. */
export interface Addresses {
  readonly http: string
  readonly grpc: string
}

const line = (transport: string) => `${transport}: hello, 1 session, true\n`

/** The output of the program: each transport works. */
export const everywhere = ['json', 'msgpack', 'grpc', 'grpc'].map(line).join('')

/** With --permission, Node 25 and later have a flag for the network, too. */
export const netFlags = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
