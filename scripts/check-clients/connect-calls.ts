/** The calls of a client of Connect-ES, in Node and in a browser. */
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect'
import { type Cells, check, hello, type Kind, tried } from './outcome.ts'

/** The service in a `FileDescriptorSet`. */
export function serviceIn(descriptors: Uint8Array): DescService {
  const service = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors)).getService(
    'blobwire.v1.VcsService'
  )
  check(service, 'no service in the descriptors')
  return service
}

// biome-ignore lint/suspicious/noExplicitAny: messages of a foreign client, read by name
type Message = any

/** Makes calls of these kinds through a transport. */
export function callConnect(
  service: DescService,
  transport: Transport,
  { repository, kinds }: { readonly repository: string; readonly kinds: readonly Kind[] }
): Promise<Cells> {
  const client = createClient(service, transport) as Message
  const { content, oid } = hello
  const calls: Partial<Record<Kind, () => Promise<unknown>>> = {
    async unary() {
      await client.createRepository({ repository })
      const stored = await client.storeBlob({ repository, content })
      check(stored.oid === oid && stored.size === 6n, 'another oid or size')
    },
    async error() {
      const error = await client.getBlob({ repository, oid: 'ab'.repeat(20) }).catch((error: unknown) => error)
      check(error instanceof ConnectError && error.code === Code.NotFound, `not_found is expected, not ${error}`)
      const [detail] = error.details as { type?: string }[]
      check(detail?.type === 'blobwire.v1.ErrorDetail', 'no detail')
    },
    async upload() {
      async function* messages() {
        yield { repository, uploadId: 'one', offset: 0n, chunk: content.subarray(0, 2) }
        yield { offset: 2n, chunk: content.subarray(2), complete: true, oid }
      }
      check((await client.uploadBlob(messages())).oid === oid, 'another oid')
    },
    async download() {
      let bytes = 0
      for await (const { chunk } of client.downloadBlob({ repository, oid })) bytes += chunk.length
      check(bytes === 6, `${bytes} bytes`)
      const leaving = new AbortController()
      for await (const _message of client.watchRefs({ repository }, { signal: leaving.signal })) break
      leaving.abort()
    },
    async session() {
      async function* frames() {
        const operation = { case: 'getBlob', value: { oid } }
        yield { frame: { case: 'batch', value: { repository, firstId: 1n, operations: [{ operation }] } } }
      }
      let answer: Message
      for await (const { results } of client.session(frames())) answer = results[0] ?? answer
      check(answer?.result.result.value.oid === oid, 'no result')
    },
    async get() {
      check((await client.getBlob({ repository, oid })).size === 6n, 'another size')
    }
  }
  return tried(Object.fromEntries(kinds.map((kind) => [kind, calls[kind]])))
}
