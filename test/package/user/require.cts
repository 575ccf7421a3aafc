/** A CommonJS program of TypeScript: its import becomes a `require`. */
import { BlobwireError, createClient, type StoreBlobResponse } from 'blobwire'

async function main(): Promise<StoreBlobResponse | undefined> {
  const client = createClient({ endpoint: 'http://127.0.0.1:4100' })
  try {
    return await client.storeBlob('demo', 'hello\n')
  } catch (error) {
    if (error instanceof BlobwireError && error.retryable) return undefined
    throw error
  } finally {
    await client.close()
  }
}

main().catch(() => {})
