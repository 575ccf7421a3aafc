/** The store that the servers of the comparison share. */
import { ObjectTable } from '../../server-fixture/store/object-table.ts'
import { hashObject } from '../../src/git/oid.ts'

const blobs = new ObjectTable('sha1')

/** The work of every server of the comparison: computes the oid, and keeps the content. */
export function storeBlob(content: Uint8Array): { oid: string; size: number } {
  const oid = hashObject('blob', content, 'sha1')
  blobs.add(oid, { kind: 'blob', content })
  return { oid, size: content.length }
}

/** Tells the parent process where the server listens. */
export function announce(address: unknown): void {
  const port = typeof address === 'number' ? address : (address as { port: number }).port
  process.stdout.write(`${port}\n`)
}
