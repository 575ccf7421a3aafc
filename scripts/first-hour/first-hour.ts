/**
 * The first hour of somebody who has installed the package in a directory: a server, three lines of client, a clone, a push,
 * a commit by the API, a fetch. Everything is a process that the user would start.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A step, and its time. */
export interface Step {
  readonly name: string
  readonly ms: number
}

const firstCommit = `import { createClient } from 'blobwire'
const repo = createClient(process.argv[2]).repository('demo')
await repo.createRepository()
await repo.commitFiles({ branch: 'main', changes: { 'hello.txt': 'hello\\n' }, message: 'First\\n', author: { name: 'Ada', email: 'ada@example.org' } })
`

const secondCommit = `import { createClient } from 'blobwire'
const client = createClient(process.argv[2])
const repo = client.repository('demo')
const { content } = await repo.getBlob({ revision: 'main', path: 'pushed.txt' })
if (new TextDecoder().decode(content) !== 'pushed\\n') throw new Error('the push is not there')
await repo.commitFiles({ branch: 'main', changes: { 'api.txt': 'by the API\\n' }, message: 'Third\\n', author: { name: 'Ada', email: 'ada@example.org' } })
console.log(client.remoteUrl('demo'))
`

/** How the server is started. */
export interface FirstHour {
  /** Where the package is installed. */
  readonly directory: string
  /** Flags of `blobwire serve` that choose the store. */
  readonly store: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Walks through the hour. @throws where a step fails, or leaves something else than it should */
export async function firstHour({ directory, store, env = process.env }: FirstHour): Promise<Step[]> {
  const work = await mkdtemp(join(directory, 'first-hour-'))
  const bin = join(directory, 'node_modules/.bin/blobwire')
  const isolated = { ...env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
  const person = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
  const clone = join(work, 'demo')
  const git = (...args: string[]) => run('git', [...person, ...args], { cwd: work, env: isolated })
  const inClone = (...args: string[]) => git('-C', clone, ...args)
  const script = async (name: string, text: string, url: string) => {
    const file = join(directory, `${name}-${process.pid}.mjs`)
    await writeFile(file, text)
    try {
      return (await run(process.execPath, [file, url], { cwd: directory, env })).stdout.trim()
    } finally {
      await rm(file)
    }
  }
  const steps: Step[] = []
  const step = async <T>(name: string, does: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    const result = await does()
    steps.push({ name, ms: performance.now() - began })
    return result
  }
  const flags = ['serve', '--http-port', '0', '--grpc-port', '0', ...store]
  const server = spawn(bin, flags, { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const url = await step('blobwire serve', () => firstLine(server))
    await step('three lines of client', () => script('first', firstCommit, url))
    await step('git clone', () => git('clone', '--quiet', `${url}/demo.git`, clone))
    await writeFile(join(clone, 'pushed.txt'), 'pushed\n')
    await step('git commit and push', async () => {
      await inClone('add', '.')
      await inClone('commit', '--quiet', '-m', 'Second')
      await inClone('push', '--quiet', 'origin', 'main')
    })
    const remote = await step('a commit by the API', () => script('second', secondCommit, url))
    assert.equal(remote, `${url}/demo.git`)
    await step('git fetch', () => inClone('pull', '--quiet', '--ff-only'))
    const { stdout: log } = await inClone('log', '--format=%s')
    assert.equal(log, 'Third\nSecond\nFirst\n')
    await inClone('fsck', '--strict')
    return steps
  } finally {
    server.kill('SIGTERM')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    await rm(work, { recursive: true, force: true })
  }
}

/** The URL of the server's HTTP port. @throws Error with its log where it does not start */
async function firstLine(server: ChildProcess): Promise<string> {
  const log: string[] = []
  server.stderr?.on('data', (chunk) => log.push(String(chunk)))
  const exited = once(server, 'exit').then(() => undefined)
  if (server.stdout === null) throw new Error('the server has no output')
  const line = await Promise.race([once(createInterface({ input: server.stdout }), 'line'), exited])
  if (line === undefined) throw new Error(`the server did not start:\n${log.join('')}`)
  return (JSON.parse(String(line[0])) as { http: string }).http
}
