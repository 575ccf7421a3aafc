/** Guards of pushes by Git over HTTP. */
import type { Guard } from './guard.ts'

const source = 'server-fixture/git-http'
const pushed = 'test/git-http/push.test.ts'
const refused = 'test/git-http/push-refusals.test.ts'
const killed = 'test/git-http/push-killed.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'git asks the server for every ref of a push, and moves none itself',
    file: `${source}/receive-pack.ts`,
    from: "  'receive.procReceiveRefs': 'refs/',\n",
    to: '',
    tests: [pushed]
  },
  {
    name: 'no program runs that a repository names for the refs of its alternates',
    file: `${source}/receive-pack.ts`,
    from: "  'core.alternateRefsCommand': 'true',\n",
    to: '',
    tests: [refused]
  },
  {
    name: 'the refs of a push have a bound',
    file: `${source}/push-command.ts`,
    from: 'if (this.#bytes > maxCommandBytes) throw',
    to: 'if (this.#bytes < 0) throw',
    tests: [refused]
  },
  {
    name: 'the options of a push are no commands',
    file: `${source}/push-command.ts`,
    from: 'if (line === undefined) this.#areOptions = true',
    to: 'if (line === undefined) this.#areOptions = false',
    tests: [refused]
  },
  {
    name: 'a pack has no such bound',
    file: `${source}/push-command.ts`,
    from: '      this.#isOver = true\n      return\n',
    to: '',
    tests: [refused]
  },
  {
    name: 'a push where programs do not run is told so',
    file: `${source}/proc-receive.ts`,
    from: 'constants.X_OK',
    to: 'constants.F_OK',
    tests: [refused]
  },
  {
    name: 'the objects of a push are stored before its refs move',
    file: `${source}/receive-pack.ts`,
    from: 'if (tips.length > 0) await',
    to: 'if (tips.length < 0) await',
    tests: [pushed]
  },
  {
    name: 'objects that git fsck reports are refused',
    file: `${source}/receive-pack.ts`,
    from: "'receive.fsckObjects': 'true'",
    to: "'receive.fsckObjects': 'false'",
    tests: [refused]
  },
  {
    name: 'the pack of a push has a limit',
    file: `${source}/receive-pack.ts`,
    from: "  'receive.maxInputSize': String(git.maxPushBytes),\n",
    to: '',
    tests: [refused]
  },
  {
    name: 'a pack of some kilobytes with a blob above the limit is refused',
    file: `${source}/push-intake.ts`,
    from: '      await checkSizes(context, target.maxBlobBytes)\n      await packs.take()',
    to: '      await packs.take()',
    tests: [refused]
  },
  {
    name: 'an atomic push of which git has refused a ref moves none',
    file: `${source}/receive-pack.ts`,
    from: 'push.atomic && push.commands.length < counter.count',
    to: 'push.atomic && push.commands.length > counter.count',
    tests: [refused]
  },
  {
    name: 'an atomic push moves all refs together or none',
    file: `${source}/push-moves.ts`,
    from: '  if (atomic) return all(',
    to: '  if (atomic && commands.length === 0) return all(',
    tests: [refused]
  },
  {
    name: 'a refused ref does not keep those beside it from moving',
    file: `${source}/push-moves.ts`,
    from: 'group.length === 1 || !isOfOneMove(error)',
    to: 'group.length > 0',
    tests: [refused]
  },
  {
    name: 'a push of a repository that had the name before puts no objects into the new one',
    file: 'server-fixture/git-export/import-objects.ts',
    from: 'await this.#read(missing), incarnation)',
    to: 'await this.#read(missing))',
    tests: [killed]
  },
  {
    name: 'a push whose client goes ends',
    file: `${source}/push-answer.ts`,
    from: 'const stop = () => git.kill()',
    to: 'const stop = () => undefined',
    tests: [killed],
    mayHang: true
  },
  {
    name: 'a push has an end',
    file: `${source}/push-answer.ts`,
    from: 'transfer.abort(tookTooLong(request))',
    to: 'tookTooLong(request)',
    tests: [killed],
    mayHang: true
  },
  {
    name: 'the directory of a push is removed',
    file: `${source}/receive-pack.ts`,
    from: '      await intake?.remove()\n',
    to: '',
    tests: [killed],
    mayHang: true
  },
  {
    name: 'directories of pushes are removed after a server that was killed',
    file: `${source}/push-directory.ts`,
    from: '        await sweep(parent)\n',
    to: '',
    tests: [killed]
  },
  {
    name: 'directories of pushes to servers that run are left alone',
    file: `${source}/push-directory.ts`,
    from: '      const lock = await LockFile.acquire(path)\n      await rm(path, { recursive: true, force: true })\n      await lock.release()',
    to: '      await rm(path, { recursive: true, force: true })',
    tests: [killed]
  },
  {
    name: 'a compressed push is decompressed',
    file: `${source}/receive-pack.ts`,
    from: '  return exchange.openBody().pipe(unzipped)',
    to: '  return exchange.openBody()',
    tests: [refused]
  },
  {
    name: 'the directory that a push to a deleted repository has made again is in the way of no other',
    file: 'server-fixture/store/git/repository-directories.ts',
    from: '      await removeLeftOver(path)\n',
    to: '',
    tests: [killed]
  },
  {
    name: 'no other directory is removed for a new repository',
    file: 'server-fixture/store/git/repository-directories.ts',
    from: 'await holdsOnly(objects, isIncoming)',
    to: 'await holdsOnly(objects, () => true)',
    tests: [killed]
  },
  {
    name: 'a push that is no gzip is told so',
    file: `${source}/receive-pack.ts`,
    from: "  unzipped.once('error', () => transfer.abort(notGzip()))\n",
    to: '',
    tests: [refused],
    mayHang: true
  },
  {
    name: 'a repository that is missing is created by nobody who pushes, and the answer says so',
    file: `${source}/git-route.ts`,
    from: 'throw isPush ? createFirst(error)',
    to: 'throw isPush && repository === "" ? createFirst(error)',
    tests: [refused]
  },
  {
    name: 'Git sends the token to the remote of the repository alone',
    file: 'src/client/git-remote.ts',
    from: 'GIT_CONFIG_KEY_0: `http.${url}.extraHeader`',
    to: "GIT_CONFIG_KEY_0: 'http.extraHeader'",
    tests: [refused]
  },
  {
    name: 'a client of gRPC alone has no remote',
    file: 'src/client/git-remote.ts',
    from: "find(({ protocol }) => protocol === 'http')",
    to: 'find(({ protocol }) => protocol.length > 0)',
    tests: [refused]
  }
]
