/** curl: calls as JSON, reads by GET, and health. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { pathOf } from '../find-program.ts'
import { check, hello, type Judge, type Row, tried } from './outcome.ts'
import { programVersion } from './versions.ts'

/** Over both versions of HTTP. */
export const judgeCurl: Judge = async ({ url, repository: repositoryOf }) => {
  const path = pathOf('curl')
  if (path === undefined) return 'there is no curl: install Debian\'s "curl"'
  const curl = async (...options: string[]): Promise<string> =>
    (await promisify(execFile)(path, ['--silent', '--show-error', ...options])).stdout
  const rows: Row[] = []
  for (const [protocol, ...http] of [
    ['JSON over HTTP/1.1'],
    ['JSON over HTTP/2', '--http2-prior-knowledge']
  ] as const) {
    const repository = repositoryOf(`curl-${protocol}`)
    const post = async (method: string, message: object) => {
      const type = ['-H', 'content-type: application/json', '-d', JSON.stringify(message)]
      return JSON.parse(await curl(...http, ...type, `${url}/blobwire.v1.VcsService/${method}`))
    }
    const { oid, content } = hello
    const cells = await tried({
      async unary() {
        await post('CreateRepository', { repository })
        const stored = await post('StoreBlob', { repository, content: Buffer.from(content).toString('base64') })
        check(stored.oid === oid, 'another oid')
      },
      async error() {
        const error = await post('GetBlob', { repository, oid: 'ab'.repeat(20) })
        check(error.code === 'not_found' && error.details[0].type === 'blobwire.v1.ErrorDetail', JSON.stringify(error))
      },
      async get() {
        const message = encodeURIComponent(JSON.stringify({ repository, oid }))
        const query = `connect=v1&encoding=json&message=${message}`
        const answer = JSON.parse(await curl(...http, `${url}/blobwire.v1.VcsService/GetBlob?${query}`))
        check(answer.oid === oid, JSON.stringify(answer))
        check(
          (await curl(...http, `${url}/v1/repositories/${repository}/blobs/${oid}`)) === 'hello\n',
          'another content'
        )
      }
    })
    rows.push({ client: 'curl', version: programVersion(path), protocol, cells })
  }
  return rows
}
