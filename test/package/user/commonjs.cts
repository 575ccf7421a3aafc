/** A program of CommonJS modules, for every TypeScript: ES modules are imported when it runs. */
async function main(): Promise<string> {
  const { BlobwireError, createClient } = await import('blobwire')
  const client = createClient({ endpoint: 'http://127.0.0.1:4100' })
  try {
    const [stored] = await client.batch('demo', [{ storeBlob: { content: 'hello\n' } }])
    return stored.ok ? stored.value.oid : stored.error.code
  } catch (error) {
    if (error instanceof BlobwireError) return error.code
    throw error
  } finally {
    await client.close()
  }
}

main().catch(() => {})
