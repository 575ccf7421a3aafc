/** The service in the descriptors of @bufbuild/protobuf, for Connect. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { serviceName } from '../../src/schema/methods.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** The service's descriptor. */
export async function vcsService(): Promise<DescService> {
  const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))
  const image = await run(buf, ['build', '-o', '-#format=binpb'], { cwd: root, encoding: 'buffer' })
  const service = createFileRegistry(fromBinary(FileDescriptorSetSchema, image.stdout)).getService(serviceName)
  if (service === undefined) throw new Error(`the proto has no ${serviceName}`)
  return service
}
