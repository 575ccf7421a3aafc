/** Python's grpcio. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pathsOf } from '../find-program.ts'
import type { Judge } from './outcome.ts'

const run = promisify(execFile)

async function pythonWithGrpc(): Promise<string | undefined> {
  for (const path of pathsOf('python3')) {
    const found = await run(path, ['-c', 'import grpc, google.protobuf']).then(
      () => true,
      () => false
    )
    if (found) return path
  }
  return undefined
}

/** With its defaults. */
export const judgeGrpcio: Judge = async ({ url, descriptors, directory, repository }) => {
  const python = await pythonWithGrpc()
  if (python === undefined) return 'there is no grpcio: install Debian\'s "python3-grpcio" and "python3-protobuf"'
  const file = join(directory, 'descriptors.binpb')
  await writeFile(file, descriptors)
  const script = fileURLToPath(new URL('grpcio.py', import.meta.url))
  const { stdout } = await run(python, [script, new URL(url).host, file, repository('grpcio')], { timeout: 60_000 })
  const { version, cells } = JSON.parse(stdout)
  return [{ client: 'grpcio (Python)', version, protocol: 'gRPC', cells }]
}
