/** A Node that says that it is Node 20. */
import assert from 'node:assert/strict'

const preload = `import zlib from 'node:zlib'
Object.defineProperty(zlib, 'createZstdDecompress', { value: undefined })
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })
Object.defineProperty(process, 'version', { value: 'v20.20.2' })`

/** The options of Node with which a program takes it for Node 20, and undici fails as it does there. */
export const oldNode = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]

/** Asserts that the program ended with the sentence, and with little more. */
export function assertToldOff({ stderr }: { readonly stderr: string }, program: string): void {
  assert.match(stderr, /Error: blobwire needs Node 22\.19 or newer; this is v20\.20\.2\b/, `${program}: ${stderr}`)
  assert.doesNotMatch(stderr, /undici|\n {4}at /, program)
}
