/** `buf curl`, which is connect-go, with its defaults: it asks the server for its methods by reflection. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../test/support/child.ts'
import { check, hello, type Judge, type Kind, type Place, type Row, tried } from './outcome.ts'
import { programVersion } from './versions.ts'

const buf = join(root, 'node_modules/.bin/buf')
const content = Buffer.from(hello.content).toString('base64')
const { oid } = hello

/** The messages of an answer. */
// biome-ignore lint/suspicious/noExplicitAny: messages of a foreign client, read by name
type Message = any

async function curl(
  { url }: Place,
  method: string,
  options: readonly string[],
  ...messages: object[]
): Promise<Message[]> {
  const data = messages.map((message) => JSON.stringify(message)).join('\n')
  const target = `${url}/blobwire.v1.VcsService/${method}`
  const { stdout } = await promisify(execFile)(buf, ['curl', ...options, '-d', data, target], {
    cwd: root,
    timeout: 30_000
  })
  return JSON.parse(`[${stdout.replaceAll(/}\n{/g, '},{')}]`)
}

const protocols = ['connect', 'grpc', 'grpcweb'] as const
const named = { connect: 'Connect', grpc: 'gRPC', grpcweb: 'gRPC-Web' } as const

/** Over each protocol and version of HTTP; the methods by reflection, and from the proto files. */
export const judgeBufCurl: Judge = async (place) => {
  const version = programVersion(buf)
  const rows: Row[] = []
  for (const protocol of protocols) {
    for (const http of ['1.1', '2'] as const) {
      // gRPC has no HTTP/1.1: buf takes HTTP/2 without being told.
      if (protocol === 'grpc' && http === '1.1') continue
      const options = ['--protocol', protocol, ...(http === '2' ? ['--http2-prior-knowledge'] : [])]
      const name = `${named[protocol]} over HTTP/${http}`
      const cells = await tried(callsOf(place, options, { repository: place.repository(`buf-${name}`), http }))
      rows.push({ client: 'buf curl', version, protocol: name, cells })
    }
  }
  return rows
}

interface Form {
  readonly repository: string
  readonly http: '1.1' | '2'
}

function callsOf(
  place: Place,
  options: readonly string[],
  { repository, http }: Form
): Partial<Record<Kind, () => Promise<unknown>>> {
  const schema = [...options, '--schema', 'proto']
  return {
    async reflection() {
      await curl(place, 'CreateRepository', options, { repository })
    },
    async unary() {
      const [stored] = await curl(place, 'StoreBlob', schema, { repository, content })
      check(stored?.oid === oid, 'another oid')
    },
    async error() {
      const error = await curl(place, 'GetBlob', schema, { repository, oid: 'ab'.repeat(20) }).catch((error) => error)
      check(/"not_found"[\s\S]*blobwire\.v1\.ErrorDetail/.test(error.stderr), `not_found is expected, not ${error}`)
    },
    async upload() {
      const first = { repository, uploadId: 'one', offset: 0 }
      const [answer] = await curl(place, 'UploadBlob', schema, first, {
        offset: 0,
        chunk: content,
        complete: true,
        oid
      })
      check(answer?.oid === oid, 'another oid')
    },
    async download() {
      const messages = await curl(place, 'DownloadBlob', schema, { repository, oid })
      const bytes = messages.map(({ chunk = '' }) => Buffer.from(chunk, 'base64'))
      check(Buffer.concat(bytes).equals(hello.content), 'another content')
    },
    ...(http === '2' && {
      async session() {
        const batch = { repository, firstId: 1, operations: [{ getBlob: { oid } }] }
        const messages = await curl(place, 'Session', schema, { batch })
        check(
          messages.some(({ results = [] }) => results[0]?.result.getBlob.oid === oid),
          'no result'
        )
      }
    })
  }
}
