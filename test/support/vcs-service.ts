import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { childEnvironment, root } from './child.ts'

const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))

/** The proto files as buf (Go) reads them, so that nothing of ours is between: a `FileDescriptorSet`. */
export async function protoImage(): Promise<Uint8Array> {
  const arguments_ = ['build', '-o', '-#format=binpb']
  const options = { cwd: root, encoding: 'buffer', env: childEnvironment } as const
  return (await promisify(execFile)(buf, arguments_, options)).stdout
}

/** The descriptor of the service. */
export async function vcsService(): Promise<DescService> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await protoImage()))
  return registry.getService('blobwire.v1.VcsService') ?? assert.fail('no service')
}
