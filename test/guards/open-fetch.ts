/** Guards of the client on `fetch`. */
import type { Guard } from './guard.ts'

const connection = 'src/connection/fetch/fetch-connection.ts'
const errors = 'src/connection/fetch/fetch-errors.ts'
const upload = 'src/transport/fetch/upload.ts'
const stream = 'src/transport/fetch/server-stream.ts'
const tests = ['test/web/fetch-failures.test.ts', 'test/web/fetch-transport.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a redirect is not followed',
    file: connection,
    from: "      redirect: 'manual',\n",
    to: '',
    tests
  },
  {
    name: 'a redirect that a browser hides is one',
    file: connection,
    from: "response.type === 'opaqueredirect' ? 307 : response.status",
    to: 'response.status',
    tests
  },
  {
    name: 'an aborted call aborts its request',
    file: connection,
    from: "      redirect: 'manual',\n      signal\n",
    to: "      redirect: 'manual',\n      signal: new AbortController().signal\n",
    tests
  },
  {
    name: 'a body that the runtime has decompressed is not decompressed again',
    file: connection,
    from: "without(Object.fromEntries(response.headers), ['content-encoding'])",
    to: 'Object.fromEntries(response.headers)',
    tests
  },
  {
    name: 'browsers get no headers that are their own',
    file: connection,
    from: 'this.#isPage ? ofBrowser : ofRuntime',
    to: 'ofRuntime',
    tests
  },
  {
    name: 'the error of a body is that of its request',
    file: connection,
    from: 'if (stream?.error !== undefined) throw stream.error',
    to: 'if (stream === null) throw stream',
    tests
  },
  {
    name: 'a browser that refuses streams as bodies gets parts',
    file: connection,
    from: 'if (stream && this.#isPage && !this.#hasStreamed) this.takesStreams = false',
    to: 'if (stream === null) this.takesStreams = false',
    tests
  },
  {
    name: 'a page is told that the server keeps its answers from it',
    file: errors,
    from: 'if (page && (await isKept?.())) {',
    to: 'if (page === null) {',
    tests
  },
  {
    name: 'a server that cannot be reached at all is not told as one that refuses the page',
    file: connection,
    from: 'if (!(await this.canConnect())) return false',
    to: 'await this.canConnect()',
    tests
  },
  {
    name: 'a server that has answered before does not refuse the page',
    file: connection,
    from: 'this.#isPage && !this.#isAnswered ? () =>',
    to: 'this.#isPage ? () =>',
    tests
  },
  {
    name: 'parts of an upload follow each other',
    file: upload,
    from: 'offset += body.length',
    to: 'offset += 0',
    tests
  },
  {
    name: 'the last part of an upload has its digests',
    file: upload,
    from: 'digests: isLast ? digestsOf(attempt) : {}',
    to: 'digests: {}',
    tests
  },
  {
    name: 'a stream that breaks off before its end is no whole one',
    file: stream,
    from: "  throw new BlobwireError({ code: 'unavailable', message: 'the stream broke off', sent: 'maybe' })\n",
    to: '',
    tests
  },
  {
    name: 'the error in the end of a stream is thrown',
    file: stream,
    from: 'if (error) throw error',
    to: 'if (error === null) throw error',
    tests
  },
  {
    name: 'options that this runtime cannot follow are refused',
    file: 'src/client/web/runtime-options.ts',
    from: '  throwProblems(problems)\n',
    to: '',
    tests
  },
  {
    name: 'options without effect are told',
    file: 'src/client/web/runtime-options.ts',
    from: 'if (ignored.length > 0) emitWarning',
    to: 'if (ignored.length > 99) emitWarning',
    tests
  },
  {
    name: 'the graph for other runtimes has no module of Node',
    file: 'src/connection/fetch/page.ts',
    from: 'interface PageGlobals {',
    to: "import 'node:os'\n\ninterface PageGlobals {",
    tests
  },
  {
    name: 'arguments of calls that are still loaded are taken over at once',
    file: 'src/client/web/calls.ts',
    from: 'const taken = snapshot(given)',
    to: 'const taken = given',
    tests: ['test/web/other-calls.test.ts']
  },
  {
    name: 'arguments of listings that are still loaded are taken over at once',
    file: 'src/client/web/paging.ts',
    from: '{ ...snapshot(given), called }',
    to: '{ ...given, called }',
    tests: ['test/web/other-calls.test.ts']
  }
]
