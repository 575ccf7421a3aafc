/** The suite of a thousand files: a job as an application has it, done by one call and in the two usual ways. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { runGit } from '../contenders/git-drivers.ts'
import { contents } from '../measure/load.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'
import { startBenchServer } from '../servers/start.ts'

const files = 1000
const fileBytes = 2048
/** Of an HTTP client that sends one request for each file. */
const requestsAtOnce = 10
const author = { name: 'A', email: 'a@example.com' }

type Changes = readonly (readonly [path: string, content: Uint8Array])[]

/** One way to commit the files to `main`, which has them in an older version. */
interface Way {
  /** Returns the number of calls; NaN where they are git's. */
  commit(changes: Changes): Promise<number>
  close(): Promise<void>
}

type OpenWay = (origin: string) => Promise<Way>

async function oneCall(origin: string): Promise<Way> {
  const client = createClient(origin)
  const repo = client.repository('demo')
  return {
    async commit(changes) {
      await repo.commitFiles({ branch: 'main', changes: Object.fromEntries(changes), message: 'All\n', author })
      return 1
    },
    close: () => client.close()
  }
}

/** As one does it with the REST interface of a hosting service: a blob for each file, a tree, a commit, the ref. */
async function oneRequestEach(origin: string): Promise<Way> {
  let requests = 0
  async function post<Answer>(method: string, body: object): Promise<Answer> {
    requests++
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(`${origin}/blobwire.v1.VcsService/${method}`, init)
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Answer
  }
  const repository = 'demo'
  const time = { timeSeconds: String(Math.floor(Date.now() / 1000)) }
  const signature = { ...author, ...time }
  return {
    async commit(changes) {
      const before = requests
      const left = [...changes]
      const entries: object[] = []
      const worker = async () => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          const [path, bytes] = next
          const content = Buffer.from(bytes).toString('base64')
          const { oid } = await post<{ oid: string }>('StoreBlob', { repository, content })
          entries.push({ path, mode: '100644', oid })
        }
      }
      await Promise.all(Array.from({ length: requestsAtOnce }, worker))
      const { refs } = await post<{ refs: { oid: string }[] }>('ListRefs', { repository, prefix: 'refs/heads/main' })
      const parent = refs[0]?.oid as string
      const tree = await post<{ oid: string }>('StoreTree', { repository, entries })
      const commit = { tree: tree.oid, parents: [parent], message: 'All\n', author: signature, committer: signature }
      const { oid } = await post<{ oid: string }>('StoreCommit', { repository, ...commit })
      const updates = [{ name: 'refs/heads/main', expectedOid: parent, newOid: oid }]
      await post('UpdateRefs', { repository, updates })
      return requests - before
    },
    close: async () => {}
  }
}

/** A clone without history, on the disk of the client, which is removed after the push. */
async function cloneAndPush(origin: string): Promise<Way> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const work = join(directory, 'work')
  const person = ['-c', `user.name=${author.name}`, '-c', `user.email=${author.email}`, '-c', 'gc.auto=0']
  const git = (...args: string[]) => runGit(['-C', work, ...person, ...args])
  return {
    async commit(changes) {
      await runGit(['clone', '--quiet', '--depth=1', `${origin}/demo.git`, work])
      for (const [path, content] of changes) {
        await mkdir(dirname(join(work, path)), { recursive: true })
        await writeFile(join(work, path), content)
      }
      await git('add', '.')
      await git('commit', '--quiet', '--message=All')
      await git('push', '--quiet', 'origin', 'main')
      await rm(work, { recursive: true })
      return Number.NaN
    },
    close: () => rm(directory, { recursive: true, force: true })
  }
}

function committing(name: string, roundTripMs: number, open: OpenWay): Contender {
  return {
    name,
    async open() {
      const data = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const server = await startServerProcess('--store', 'git', '--data', data)
      const proxy =
        roundTripMs > 0 ? await startBenchServer('delay-proxy', server.http.port, String(roundTripMs)) : null
      const direct = createClient(server.http.origin)
      const repo = direct.repository('demo')
      await repo.createRepository()
      const content = contents(fileBytes, 'random')
      const changes = () =>
        Array.from({ length: files }, (_, index) => [`dir-${index % 32}/file-${index}`, content()] as const)
      const first = { changes: Object.fromEntries(changes()), message: 'First\n', author }
      await repo.commitFiles({ branch: 'main', ...first })
      const way = await open(proxy ? `http://127.0.0.1:${proxy.port}` : server.http.origin)
      let calls = 0
      return {
        facts: () => (Number.isNaN(calls) ? {} : { calls }),
        async run() {
          const changed = changes()
          const begun = performance.now()
          calls = await way.commit(changed)
          const ms = performance.now() - begun
          const [path, bytes] = changed.at(-1) as (typeof changed)[number]
          const { content: found } = await repo.getBlob({ revision: 'main', path })
          if (Buffer.compare(found, bytes) !== 0) throw new Error(`${path} is not as it was committed`)
          return ms
        },
        async close() {
          await way.close()
          await direct.close()
          await proxy?.stop()
          await server.stop()
          await rm(data, { recursive: true, force: true })
        }
      }
    }
  }
}

function scenario(roundTripMs: number): Scenario {
  const far = roundTripMs > 0 ? `, ${roundTripMs} ms of round trip added` : ''
  return {
    suite: 'thousand-files',
    name: `a commit of ${files} files of 2 KB on a branch that has them${far}`,
    unit: 'ms',
    better: 'less',
    baseline: 'one request for each file',
    contenders: [
      committing('one call of commitFiles', roundTripMs, oneCall),
      committing('one request for each file', roundTripMs, oneRequestEach),
      committing('git clone, add, commit, push', roundTripMs, cloneAndPush)
    ]
  }
}

/** The same server and store for all of them. */
export const thousandFiles: Suite = {
  name: 'thousand-files',
  about: 'A commit of a thousand files on the Git store: by one call, by one request for each file, by git.',
  scenarios: () => [0, 20].map(scenario)
}
