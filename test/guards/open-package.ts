/** Guards of the package: its server, and the entry points for tests. */
import type { Guard } from './guard.ts'

const testing = ['test/testing/test-service.test.ts']
const names = ['test/store/equal-names.test.ts']
const hosts = ['test/server/hosts.test.ts']
const store = 'server-fixture/store/git'

export const guards: readonly Guard[] = [
  {
    name: 'open: a fault resets a call without a connection',
    file: 'server-fixture/faults/stream-registry.ts',
    from: '    this.#local.get(requestId)?.reset()\n',
    to: '',
    tests: testing,
    mayHang: true
  },
  {
    name: 'open: a call without sockets shows its token',
    file: 'testing/local-call.ts',
    from: "server.authenticator.authenticate(rpc, headers['authorization'])",
    to: '({ may: () => true })',
    tests: testing
  },
  {
    name: 'open: a call without sockets ends at its deadline on the server, too',
    file: 'testing/local-call.ts',
    from: 'const close = () => found.stream.close()',
    to: 'const close = () => undefined',
    tests: testing,
    mayHang: true
  },
  {
    name: 'open: a repository is not created beside one of an equal name',
    file: `${store}/git-store.ts`,
    from: '      await this.#directories.checkNewName(repository)\n',
    to: '',
    tests: names
  },
  {
    name: 'open: a repository is not found by another spelling',
    file: `${store}/repository-directories.ts`,
    from: 'return found && (await this.#isNamedSo(repository)) ? found : undefined',
    to: 'return found',
    tests: names
  },
  {
    name: 'open: a repository is not deleted by another spelling',
    file: `${store}/repository-directories.ts`,
    from: '    if (!(await this.#isNamedSo(repository))) return undefined\n',
    to: '',
    tests: names
  },
  {
    name: 'open: a ref is not read by another spelling',
    file: `${store}/ref-files.ts`,
    from: 'found && this.#folds && !(await isSpelledSo(this.#gitDir, name)) ? undefined : found',
    to: 'found',
    tests: names
  },
  {
    name: 'open: a ref is not created beside one of an equal name',
    file: `${store}/ref-mover.ts`,
    from: 'this.#checkNames(await this.#check(calls))',
    to: 'this.#check(calls)',
    tests: names
  },
  {
    name: 'open: two refs of one move may not have equal names',
    file: `${store}/ref-mover.ts`,
    from: '        names.add(name)\n',
    to: '',
    tests: names
  },
  {
    name: 'open: the file system is asked whether it holds names equal',
    file: `${store}/file-names.ts`,
    from: 'return own !== undefined && other?.ino === own.ino',
    to: 'return false',
    tests: names
  },
  {
    name: 'open: the HTTP server without tokens refuses other names',
    file: 'server-fixture/http/routes.ts',
    from: '  if (hosts && refuseHost(exchange, hosts, grpcType !== undefined)) return\n',
    to: '',
    tests: hosts
  },
  {
    name: 'open: the gRPC server without tokens refuses other names',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: '              this.#dependencies.hosts?.check(arrival.authority)\n',
    to: '',
    tests: hosts
  },
  {
    name: 'open: a name that begins with a loopback address is another name',
    file: 'server-fixture/hosts.ts',
    from: '|::1)\\.?$/i',
    to: '|::1)/i',
    tests: hosts
  },
  {
    name: 'open: a part of the server without its package says what to install',
    file: 'server-fixture/optional-package.ts',
    from: '    if (!isMissing(cause, name)) throw cause\n',
    to: '    throw cause\n',
    tests: ['test/package/package.test.ts']
  },
  {
    name: 'open: the server starts without the optional packages of gRPC',
    file: 'server-fixture/optional-package.ts',
    from: '    if (!isMissing(error, name)) throw error\n',
    to: '    throw error\n',
    tests: ['test/package/package.test.ts']
  },
  {
    name: 'open: the package has the charts of its dashboard',
    file: 'scripts/build.ts',
    from: "  cpSync(join(uplot, file), join(outDir, page, 'uplot', file))",
    to: '  void file',
    tests: ['test/package/package.test.ts']
  },
  {
    name: 'open: a misspelled option is no server with other data',
    file: 'server-fixture/server.ts',
    from: '  checkServerOptions(options)\n',
    to: '',
    tests: ['test/server/server-options.test.ts'],
    mayHang: true
  }
]
