/** The options of transfers and of `readFiles`, `archive` and `checkout`, as they are without any, by name. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { binaryPath } from '../../src/git/raw-path.ts'
import type { Interceptor, Repository } from '../../src/index.ts'
import { named } from './found-defaults.ts'
import { atEnd, testServer } from './server.ts'
import { transferOptions } from './transfer-options.ts'

export async function contentOptions(context: TestContext, endpoint: string) {
  const transfers = transferOptions(endpoint)
  const { client } = atEnd(context, await testServer())
  const asked: object[] = []
  const listen: Interceptor = {
    request(request, next) {
      if (request.method === 'getTree') {
        const { revision, path = '', rawPath } = request.message
        asked.push({ revision, path: binaryPath({ path, ...(rawPath && { rawPath }) }) })
      }
      return next(request)
    }
  }
  const repo = client({ interceptors: [listen] }).repository('trees')
  await repo.createRepository()
  const changes = { 'a.txt': 'a', 'b/.c': 'c' }
  await repo.commitFiles({ branch: 'main', changes, message: 'x', author: { name: 'A', email: 'a@b' } })
  const paths = await pathsOf(repo)
  const [ofFiles] = asked.splice(0)
  const directory = mkdtempSync(join(tmpdir(), 'blobwire-defaults-'))
  context.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'other'), '')
  await repo.checkout(directory)
  const [ofCheckout] = asked.splice(0)
  const isPlain = Buffer.compare(await tarOf(repo), await tarOf(repo, '')) === 0
  const found = {
    ...transfers.found,
    ...named('FilesInput', { ...ofFiles, glob: paths.length === Object.keys(changes).length ? 'all' : undefined }),
    ...named('ArchiveInput', { prefix: isPlain ? '' : undefined }),
    ...named('CheckoutInput', { ...ofCheckout, remove: !existsSync(join(directory, 'other')), onProgress: undefined })
  }
  return { found, words: { ...transfers.words, 'all files': 'all', "'' (the root)": '' } }
}

async function pathsOf(repo: Repository): Promise<string[]> {
  const paths: string[] = []
  for await (const { path } of repo.readFiles()) paths.push(path)
  return paths
}

async function tarOf(repo: Repository, prefix?: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of repo.archive({ format: 'tar', prefix })) chunks.push(chunk)
  return Buffer.concat(chunks)
}
