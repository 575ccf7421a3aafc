/** `close()` ends every call, wherever the call is: waiting for its turn, sent, between two attempts, hedged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { Fault } from '../../server-fixture/faults/rules.ts'
import type { Client, ClientOptions, ClientStats } from '../../src/index.ts'
import { failureOf, transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { settlesWithin, until } from '../support/until.ts'

interface State {
  readonly name: string
  readonly fault: Fault
  readonly options: Partial<ClientOptions>
  /** The calls are where they should be. */
  reached(stats: ClientStats, faults: Faults): boolean
}

const calls = 10
const states: State[] = [
  {
    name: 'that wait for their turn',
    fault: { kind: 'silence' },
    options: { concurrency: { maxCalls: 1 } },
    reached: ({ waiting }, faults) => waiting === calls - 1 && faults.fired('silence') === 1
  },
  {
    name: 'that were sent',
    fault: { kind: 'silence' },
    options: {},
    reached: (_stats, faults) => faults.fired('silence') === calls
  },
  {
    name: 'between two attempts',
    fault: { kind: 'status', code: 'unavailable', retryAfterMs: 20_000 },
    options: { breaker: false },
    reached: ({ running }, faults) => running === calls && faults.fired('status') === calls
  },
  {
    name: 'that were asked for twice',
    fault: { kind: 'silence' },
    options: { hedge: { delayMs: 10 }, batch: false },
    reached: ({ hedges }, faults) => hedges === calls && faults.fired('silence') === 2 * calls
  }
]

const read = (client: Client) => client.getBlob('demo', 'ce013625030ba8dba906f756967f9e9ca394464a')

for (const transport of transports) {
  for (const { name, fault, options, reached } of states) {
    test(`${transport}: calls ${name} are cancelled, client_closed`, async (context) => {
      const faults = new Faults()
      const fixture = atEnd(context, await testServer({ faults }))
      const client = fixture.client({ transport, ...options })
      await client.createRepository('demo')
      faults.add({ rpc: 'GetBlob', fault })
      const failures = Array.from({ length: calls }, () => failureOf(read(client)))
      await until(() => reached(client.stats(), faults), `calls ${name}`)
      const attempts = client.stats().attempts
      // Long before the deadline, and before the next attempt.
      await settlesWithin(Promise.all([client.close(), client.close(), ...failures]), 10_000)
      for (const { error } of await Promise.all(failures)) {
        assert.deepEqual([error.code, error.reason, error.retryable], ['cancelled', 'client_closed', false])
      }
      await client.close()
      const { error } = await failureOf(read(client))
      assert.deepEqual([error.code, error.reason, error.sent], ['cancelled', 'client_closed', 'never'])
      const { running, waiting, queued } = client.stats()
      assert.deepEqual([running, waiting, queued], [0, 0, 0])
      assert.equal(client.stats().attempts, attempts, 'no attempt follows')
    })
  }
}
