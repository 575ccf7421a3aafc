/** grpc-js with proto-loader, on the HTTP port. */
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { root } from '../../test/support/child.ts'
import { check, hello, type Judge, tried } from './outcome.ts'
import { versionOf } from './versions.ts'

type Callback = (error: Error | null, answer: Message) => void
// biome-ignore lint/suspicious/noExplicitAny: messages of a foreign client, read by name
type Message = any

/** The messages of a stream until it ends. */
function collected(
  stream: grpc.ClientReadableStream<Message> | grpc.ClientDuplexStream<object, Message>
): Promise<Message[]> {
  const messages: Message[] = []
  return new Promise((resolve, reject) => {
    stream
      .on('data', (message) => messages.push(message))
      .once('end', () => resolve(messages))
      .once('error', reject)
  })
}

/** With its defaults. */
export const judgeGrpcJs: Judge = async ({ url, repository: repositoryOf }) => {
  const definition = loadSync('blobwire/v1/vcs.proto', { includeDirs: [join(root, 'proto')], defaults: true })
  const service = definition['blobwire.v1.VcsService'] as grpc.ServiceDefinition
  const Client = grpc.makeClientConstructor(service, 'VcsService')
  const client = new Client(new URL(url).host, grpc.credentials.createInsecure()) as Message
  const repository = repositoryOf('grpc-js')
  const { content, oid } = hello
  const call = (name: string, request: object): Promise<Message> =>
    new Promise((resolve, reject) => {
      const callback: Callback = (error, answer) => (error ? reject(error) : resolve(answer))
      client[name](request, callback)
    })
  const cells = await tried({
    async unary() {
      await call('createRepository', { repository })
      check((await call('storeBlob', { repository, content })).oid === oid, 'another oid')
    },
    async error() {
      const error = await call('getBlob', { repository, oid: 'ab'.repeat(20) }).catch((error) => error)
      check(error.code === grpc.status.NOT_FOUND, `NOT_FOUND is expected, not ${error}`)
      check(error.metadata.get('grpc-status-details-bin').length === 1, 'no details')
    },
    async upload() {
      const answer = await new Promise<Message>((resolve, reject) => {
        const callback: Callback = (error, answer) => (error ? reject(error) : resolve(answer))
        const stream = client.uploadBlob(callback)
        stream.write({ repository, uploadId: 'one', offset: 0, chunk: content.subarray(0, 2) })
        stream.end({ offset: 2, chunk: content.subarray(2), complete: true, oid })
      })
      check(answer.oid === oid, 'another oid')
    },
    async download() {
      const messages = await collected(client.downloadBlob({ repository, oid }))
      check(Buffer.concat(messages.map(({ chunk }) => chunk)).equals(content), 'another content')
    },
    async session() {
      const stream = client.session()
      const messages = collected(stream)
      stream.end({ batch: { repository, firstId: 1, operations: [{ getBlob: { oid } }] } })
      check(
        (await messages).some(({ results }) => results[0]?.result.getBlob.oid === oid),
        'no result'
      )
    }
  })
  client.close()
  return [{ client: 'grpc-js', version: versionOf('@grpc/grpc-js'), protocol: 'gRPC', cells }]
}
