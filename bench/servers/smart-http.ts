/**
 * `git http-backend` (git-http-backend(1)) behind a small HTTP server: pushes and clones over smart HTTP. What is pushed is
 * synced as the Git store syncs (`core.fsync=all`). The argument is the directory with the repositories.
 */
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { announce } from './blob-map.ts'

const [root = '.'] = process.argv.slice(2)
const settings = [
  ['core.fsync', 'all'],
  ['core.fsyncMethod', 'fsync'],
  ['http.receivepack', 'true'],
  ['receive.autogc', 'false']
]
const configuration = Object.fromEntries(
  settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value]
  ])
)

const header = (request: IncomingMessage, name: string) => String(request.headers[name] ?? '')

function serve(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
  const length = request.headers['content-length']
  // RFC 3875, section 4.1.
  const env = {
    ...configuration,
    PATH: process.env['PATH'],
    GIT_CONFIG_COUNT: String(settings.length),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: header(request, 'git-protocol'),
    REQUEST_METHOD: request.method,
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: header(request, 'content-type'),
    HTTP_CONTENT_ENCODING: header(request, 'content-encoding'),
    REMOTE_USER: 'bench',
    REMOTE_ADDR: '127.0.0.1',
    ...(length === undefined ? {} : { CONTENT_LENGTH: length })
  }
  const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  backend.stdin.on('error', () => request.resume())
  request.pipe(backend.stdin)
  let head = Buffer.alloc(0)
  const takeHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(': ')
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.write(head.subarray(end + 4))
    backend.stdout.off('data', takeHead)
    backend.stdout.pipe(response, { end: false })
  }
  backend.stdout.on('data', takeHead)
  backend.once('close', () => response.end())
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => announce(server.address()))
