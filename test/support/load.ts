import assert from 'node:assert/strict'
import type { Client } from '../../src/index.ts'
import { blobOid } from './faulty-network.ts'
import { until } from './until.ts'

/** Callers that each store one blob after the other and check every answer. */
export interface Load {
  /** Answers so far. */
  readonly done: number
  /** Resolves once the state is reached. @throws at once where a call fails */
  until(isReached: () => boolean, state: string): Promise<void>
  /** Resolves after so many more answers. @throws at once where a call fails */
  answers(more: number): Promise<void>
  /** Lets every caller finish its call. @throws where a call fails */
  stop(): Promise<void>
}

/** Starts so many callers on the repository `demo`. */
export function startLoad(client: Client, callers: number): Load {
  let done = 0
  let stopped = false
  const call = async (name: number) => {
    for (let turn = 0; !stopped; turn++) {
      const content = `${name} ${turn}`
      assert.equal((await client.storeBlob('demo', content)).oid, blobOid(content))
      done++
    }
  }
  const calls = Promise.all(Array.from({ length: callers }, (_, name) => call(name)))
  const load: Load = {
    get done() {
      return done
    },
    async until(isReached, state) {
      try {
        await Promise.race([until(isReached, state), calls])
      } catch (error) {
        stopped = true
        throw error
      }
    },
    answers(more) {
      const wanted = done + more
      return load.until(() => done >= wanted, `${more} more answers`)
    },
    async stop() {
      stopped = true
      await calls
    }
  }
  // A failure before anybody waits must not end the process.
  calls.catch(() => undefined)
  return load
}
