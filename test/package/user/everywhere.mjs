/** A user's program, also for bundlers: calls on a session, a call of its own and an error with details, over each transport. */
import { BlobwireError, createClient } from 'blobwire'

const missing = 'f'.repeat(40)

async function use(transport, endpoint) {
  const client = createClient({ endpoint, transport })
  try {
    const { oid } = await client.storeBlob('demo', 'hello\n')
    const { content } = await client.getBlob('demo', oid)
    await client.getCapabilities()
    const input = { branch: 'x', changes: { a: { oid: missing } }, message: '', author: { name: 'a', email: 'a' } }
    const error = await client.commitFiles('demo', input).catch((thrown) => thrown)
    const hasDetails = error instanceof BlobwireError && error.details.missingOids?.[0] === missing
    return `${transport}: ${new TextDecoder().decode(content).trim()}, ${client.stats().sessions} session, ${hasDetails}`
  } catch (error) {
    return `${transport}: ${error.reason}: ${error.message}`
  } finally {
    await client.close()
  }
}

async function main() {
  const [http, grpc] = process.argv.slice(-2)
  const used = await Promise.all([use('json', http), use('msgpack', http), use('grpc', http), use('grpc', grpc)])
  process.stdout.write(`${used.join('\n')}\n`)
}

main()
