/** Configuration files of a test. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A configuration file of the test. */
export async function fileOf(context: TestContext, text: string, name = 'blobwire.yaml'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-configuration-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}
