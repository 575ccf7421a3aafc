/** Clients of three transports with default options against three servers, and the audit of all that was acknowledged. */
import type { Effect } from '../../server-fixture/faults/effects.ts'
import type { EventPage } from '../../server-fixture/store/events.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { type Client, createClient, type TransportName } from '../../src/index.ts'
import { auditBranches, auditEffects } from '../audit.ts'
import { type Ledger, Load, newLedger, newPace } from '../load.ts'

const repository = 'soak'
/** The default of `timeoutMs`. */
const timeoutMs = 30_000
/** For each client, beside the commits and moves that it makes one after the other. */
const rates = { perMinute: 6000, burst: 50, burstEveryMs: 1000 }
const transports: readonly TransportName[] = ['json', 'msgpack', 'grpc']

/** A server, as clients see it. */
interface Addresses {
  readonly http: URL
  readonly grpc: URL
}

/** The longest of one window, over the clients: each is judged by its own answers. */
export interface Longest {
  readonly gapMs: number
  readonly callMs: number
}

/** Of all clients together. */
export interface Totals {
  readonly calls: number
  readonly acknowledged: number
  readonly failures: readonly string[]
  /** Lost, doubled or wrong. */
  readonly faults: readonly string[]
}

export class AuditedLoad {
  readonly #clients: Client[] = []
  readonly #ledgers: Ledger[] = []
  readonly #loads: Load[] = []

  private constructor(servers: readonly Addresses[]) {
    for (const transport of transports) {
      const endpoint = servers.map(({ http, grpc }) => (transport === 'grpc' ? `grpc://${grpc.host}` : http.origin))
      const client = createClient({ endpoint, transport })
      const ledger = newLedger()
      this.#clients.push(client)
      this.#ledgers.push(ledger)
      this.#loads.push(new Load(client, { name: transport, ledger, timeoutMs }))
    }
  }

  static async start(servers: readonly Addresses[]): Promise<AuditedLoad> {
    const load = new AuditedLoad(servers)
    await (load.#clients[0] as Client).createRepository(repository)
    for (const one of load.#loads) one.start(rates)
    return load
  }

  /** Since this was called last. A client that has had no answer yet counts as one that waits. */
  longest(): Longest {
    const nowMs = performance.now()
    const paces = this.#ledgers.map((ledger) => {
      const { longestGapMs, lastAnswerMs, longestCallMs } = ledger.pace
      ledger.pace = newPace()
      return { gapMs: Math.max(longestGapMs, nowMs - lastAnswerMs), callMs: longestCallMs }
    })
    return {
      gapMs: Math.max(...paces.map(({ gapMs }) => gapMs)),
      callMs: Math.max(...paces.map(({ callMs }) => callMs))
    }
  }

  /** Ends the load, and holds what was acknowledged against the database. */
  async stop(urls: readonly string[]): Promise<Totals> {
    await Promise.all(this.#loads.map((load) => load.stop()))
    const faults = this.#ledgers.flatMap(({ wrong }) => wrong)
    const store = await PostgresStore.open({ urls })
    try {
      const moves = await movesIn(store)
      for (const ledger of this.#ledgers) {
        // Of the store itself: servers have objects in memory.
        const stored = new Set([...ledger.stored, ...[...ledger.commits.values()].flat()])
        const effects = [...moves, ...(await objectsIn(store, [...stored]))]
        faults.push(...auditEffects({ ...ledger, stored }, effects))
        faults.push(...(await auditBranches(ledger, this.#clients[0] as Client)))
      }
    } finally {
      await store.close()
      await Promise.all(this.#clients.map((client) => client.close()))
    }
    const sum = (of: (ledger: Ledger) => number) => this.#ledgers.reduce((total, ledger) => total + of(ledger), 0)
    return {
      calls: sum(({ calls }) => calls),
      acknowledged: sum(({ succeeded }) => succeeded),
      failures: this.#ledgers.flatMap(({ failures }) =>
        [...failures].map(([kind, { count, message }]) => `${count} ${kind}: ${message}`)
      ),
      faults
    }
  }
}

/** Those of these objects that are there. */
async function objectsIn(store: PostgresStore, oids: readonly string[]): Promise<Effect[]> {
  const found: Effect[] = []
  for (let from = 0; from < oids.length; from += 1000) {
    const some = oids.slice(from, from + 1000)
    const infos = await store.hasObjects(repository, some)
    for (const [index, name] of some.entries()) if (infos[index]) found.push({ kind: 'object', repository, name })
  }
  return found
}

/** All moves of refs, in their order: they are the events of the repository. */
async function movesIn(store: PostgresStore): Promise<Effect[]> {
  const moves: Effect[] = []
  let page: EventPage | undefined
  do {
    const after: EventPage['cursor'] = page?.cursor ?? (await store.oldestEvents(repository))
    page = await store.readEvents(repository, { after, limit: 1000 })
    for (const event of page.events) {
      for (const { name, newOid: oid } of event.moves) moves.push({ kind: 'ref', repository, name, oid })
    }
  } while (page.state === 'more')
  return moves
}
