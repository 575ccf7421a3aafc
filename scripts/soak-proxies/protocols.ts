/** The other protocols of the HTTP port through a proxy: Git, gRPC, gRPC-Web and Connect GET. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from '../../src/index.ts'
import { serviceName } from '../../src/schema/methods.ts'

const run = promisify(execFile)
const repository = 'protocols'
/** More than `http.postBuffer` of Git, so that a push comes in chunks. */
const pushedBytes = 3 * 1024 * 1024
const timeoutMs = 20_000

/** The proxy that is asked. */
export interface ProtocolOptions {
  /** Origin that HTTP/1.1 clients ask. */
  readonly http1: string
  /** Host and port in front of the HTTP server that gRPC clients ask; undefined = the proxy passes no HTTP/2 on. */
  readonly http2: string | undefined
  /** Origin of the server itself. */
  readonly server: string
  /** For clones. */
  readonly directory: string
}

/** The problems; none = every protocol went through. */
export async function tryProtocols(options: ProtocolOptions): Promise<string[]> {
  const client = createClient({ endpoint: options.server })
  try {
    await client.createRepository(repository)
    const author = { name: 'A', email: 'a@example.org' }
    await client.commitFiles(repository, { branch: 'main', changes: { a: 'a' }, message: 'one', author })
  } finally {
    await client.close()
  }
  const tries = { git: tryGit, 'gRPC-Web': tryGrpcWeb, 'Connect GET': tryGet, gRPC: tryGrpc }
  const problems: string[] = []
  for (const [name, attempt] of Object.entries(tries)) {
    await attempt(options).catch((error) => problems.push(`${name}: ${String(error?.stderr || error)}`))
  }
  return problems
}

async function tryGit({ http1, directory }: ProtocolOptions): Promise<void> {
  const work = join(directory, 'clone')
  await mkdir(work)
  const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' }
  const git = (...args: string[]) => run('git', args, { cwd: work, env, timeout: timeoutMs })
  await git('clone', '-q', `${http1}/${repository}.git`, '.')
  await writeFile(join(work, 'large'), randomBytes(pushedBytes))
  await git('add', '.')
  await git('-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-qm', 'two')
  await git('push', '-q', 'origin', 'HEAD:main')
  const [{ stdout: own }, { stdout: theirs }] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('ls-remote', 'origin', 'refs/heads/main')
  ])
  if (!theirs.startsWith(own.trim())) throw new Error(`pushed ${own.trim()}, and the remote has ${theirs}`)
}

async function tryGrpcWeb({ http1 }: ProtocolOptions): Promise<void> {
  const answer = await fetch(`${http1}/${serviceName}/GetCapabilities`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: new Uint8Array(5),
    signal: AbortSignal.timeout(timeoutMs)
  })
  const text = Buffer.from(await answer.arrayBuffer()).toString('latin1')
  if (answer.status !== 200 || !text.includes('grpc-status: 0')) throw new Error(`${answer.status} ${text}`)
}

async function tryGet({ http1 }: ProtocolOptions): Promise<void> {
  const query = 'connect=v1&encoding=json&message=%7B%7D'
  const url = `${http1}/${serviceName}/GetCapabilities?${query}`
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
}

async function tryGrpc({ http2 }: ProtocolOptions): Promise<void> {
  if (http2 === undefined) return
  const client = createClient({ endpoint: `grpc://${http2}`, transport: 'grpc', timeoutMs })
  try {
    await client.storeBlob(repository, 'through the HTTP port')
    const { batching } = client.stats()
    if (batching !== 'session') throw new Error(`calls travelled by ${batching}`)
  } finally {
    await client.close()
  }
}
