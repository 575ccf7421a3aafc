import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { CallInvoker } from '../../src/client/call-invoker.ts'
import { resolveOptions } from '../../src/client/options.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

type Made = Messages['CommitFilesResponse']

const commits = 200
const author = { name: 'A', email: 'a@example.com', zone: '+0000' }

/** 200 commits on one branch, each of one file of its own; the files are in 20 directories. */
async function burst(commit: (path: string) => Promise<Made>, atOnce: boolean): Promise<void> {
  const paths = Array.from({ length: commits }, (_value, index) => `d${index % 20}/f${index}`)
  const made: Made[] = []
  if (atOnce) made.push(...(await Promise.all(paths.map(commit))))
  else for (const path of paths) made.push(await commit(path))
  const isChain = made.every(({ parents }, index) => index === 0 || parents[0] === made[index - 1]?.oid)
  if (!isChain) throw new Error('the commits are not in the order of their calls')
}

function committing(name: string, store: 'memory' | 'git', atOnce: boolean): Contender {
  return {
    name,
    async open() {
      const data = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const flags = store === 'git' ? ['--data', data] : []
      const server = await startServerProcess('--store', store, ...flags)
      const invoker = new CallInvoker(resolveOptions({ endpoint: server.http.origin, transport: 'msgpack' }))
      const repository = 'bench'
      await invoker.invoke(methods.createRepository, { repository })
      let next = 0
      const commit = (path: string) => {
        const content = Buffer.from(`content ${next++}`)
        return invoker.invoke(methods.commitFiles, {
          ...{ repository, branch: 'main', author, message: 'm' },
          changes: [{ path, content }]
        })
      }
      return {
        async run(durationMs) {
          const start = performance.now()
          let bursts = 0
          for (; bursts === 0 || performance.now() < start + durationMs; bursts++) await burst(commit, atOnce)
          return (bursts * commits * 1000) / (performance.now() - start)
        },
        async close() {
          await invoker.close()
          await server.stop()
          await rm(data, { recursive: true, force: true })
        }
      }
    }
  }
}

const scenario = (store: 'memory' | 'git'): Scenario => ({
  suite: 'one-branch',
  name: `200 commitFiles on one branch, ${store === 'git' ? 'Git' : 'memory'} store`,
  unit: 'calls/s',
  better: 'more',
  baseline: 'one after the other',
  contenders: [committing('at once', store, true), committing('one after the other', store, false)]
})

/** Many writers of one branch: commits that wait together become one chain. */
export const oneBranch: Suite = {
  name: 'one-branch',
  about: '200 commits on one branch, without an expected head, at once and one after the other.',
  scenarios: () => [scenario('memory'), scenario('git')]
}
