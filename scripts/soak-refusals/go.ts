/** Go's HTTP client: `buf curl`, a process for each refusal. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bodyBytes, bodyFile, type SoakClient, type Tally, type Target, tallyOf } from './refusals.ts'
import { runProgram } from './run-program.ts'

const schema = fileURLToPath(new URL('../../proto', import.meta.url))
const atOnce = 4

/** The program itself; the script of the package would start Node for each refusal. */
function findBuf(): string | undefined {
  const require = createRequire(import.meta.url)
  try {
    const name = `@bufbuild/buf-${process.platform}-${process.arch}`
    const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'buf')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

const buf = findBuf()

async function refuseOne(protocol: 'connect' | 'grpc', target: Target, bytes: number): Promise<string | undefined> {
  const { wire, ca, directory } = target
  const options = { h2c: ['--http2-prior-knowledge'], TLS: ['--cacert', ca], 'HTTP/1.1': [] }[wire]
  const call = `${new URL('/blobwire.v1.VcsService/StoreBlob', protocol === 'grpc' ? target.grpc : target.url)}`
  const { stderr } = await runProgram(buf as string, [
    'curl',
    ...['--schema', schema, '--protocol', protocol, '-H', 'authorization: Bearer wrong', ...options],
    ...['-d', `@${bodyFile(directory, bytes)}.json`, call]
  ])
  // Its Connect is binary; a server without it refuses the content type.
  return /"code": *"unauthenticated"|415 Unsupported/.test(stderr) ? undefined : `${bytes} B: ${stderr.slice(0, 500)}`
}

async function refuse(protocol: 'connect' | 'grpc', target: Target, count: number): Promise<Tally> {
  const answers: (string | undefined)[] = []
  let next = 0
  const work = async () => {
    while (next < count) {
      const index = next++
      answers[index] = await refuseOne(protocol, target, bodyBytes[index % bodyBytes.length] as number)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return tallyOf(answers)
}

const shared = { weight: 0.3, missing: buf === undefined ? 'buf (npm install)' : undefined }

export const go: SoakClient = {
  ...shared,
  name: 'Go (buf curl)',
  wires: ['h2c', 'TLS', 'HTTP/1.1'],
  refuse: (target, count) => refuse('connect', target, count)
}

export const goGrpc: SoakClient = {
  ...shared,
  name: 'Go (buf curl), gRPC',
  wires: ['h2c', 'TLS'],
  refuse: (target, count) => refuse('grpc', target, count)
}
