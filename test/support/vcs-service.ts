import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { childEnvironment, root } from './child.ts'

const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))

/** Descriptors as buf (Go) reads them from the proto, so that nothing of ours is between. */
export async function vcsService(): Promise<DescService> {
  const arguments_ = ['build', '-o', '-#format=binpb']
  const image = await promisify(execFile)(buf, arguments_, { cwd: root, encoding: 'buffer', env: childEnvironment })
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image.stdout))
  return registry.getService('blobwire.v1.VcsService') ?? assert.fail('no service')
}
