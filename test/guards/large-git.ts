/** Guards of large blobs in the Git store. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
const large = `${store}/large`
const blobs = 'test/store/large-blobs.test.ts'
const crashes = 'test/store/large-crashes.test.ts'
const handover = 'test/store/large-handover.test.ts'
const contract = 'test/store/contract.test.ts'
const joining = 'test/store/join-packs.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a range is held against the checksum of its group',
    file: `${large}/blob-layout.ts`,
    from: '      group[at] === headerByte(crc, block, isEnd) &&\n',
    to: '',
    tests: [blobs]
  },
  {
    name: 'positions behind 2 GiB are found by their table',
    file: `${large}/pack-index.ts`,
    from: '  if (position < largeMark) return position\n',
    to: '  return position\n',
    tests: [blobs]
  },
  {
    name: 'a git process that is not read on ends',
    file: `${large}/streamed-object.ts`,
    from: '      if (this.#isAbandoned) return\n',
    to: '',
    tests: [blobs],
    mayHang: true
  },
  {
    name: 'an object that is open stays readable when its pack is deleted',
    file: `${large}/open-object.ts`,
    from: "found.kind === 'blob' ? await",
    to: "found.kind === 'tag' ? await",
    tests: [blobs]
  },
  {
    name: 'git copies the blobs of uploads as they are',
    file: `${store}/git-process.ts`,
    from: "  'core.bigFileThreshold': '1m',\n",
    to: '',
    tests: [blobs]
  },
  {
    name: 'the file of an upload is not written to once it may be in the repository',
    file: `${large}/git-spool.ts`,
    from: '        this.#isHandedOver = true\n',
    to: '',
    tests: [handover]
  },
  {
    name: 'a file that is in the repository is not gone on with, whatever its record has lost',
    file: `${large}/git-spools.ts`,
    from: 'if (record.done || content === undefined',
    to: 'if (record.done || !record.ending || content === undefined',
    tests: [handover]
  },
  {
    name: 'an upload whose record cannot be opened has no file open',
    file: `${large}/git-spools.ts`,
    from: '      await file.close()\n      throw error\n',
    to: '      throw error\n',
    tests: [handover]
  },
  {
    name: 'an upload that cannot be listed keeps no other one',
    file: `${large}/git-spools.ts`,
    from: 'await this.#listed(directory).catch(() => undefined)',
    to: 'await this.#listed(directory)',
    tests: [handover]
  },
  {
    name: 'large packs are not joined',
    file: `${store}/pack-list.ts`,
    from: 'packs.filter((pack) => !isLarge(pack))',
    to: 'packs',
    tests: [joining]
  },
  {
    name: 'an object that is there is not written again by an upload',
    file: `${large}/git-spool.ts`,
    from: '!(await has(blob.oid))',
    to: 'true',
    tests: [contract]
  },
  {
    name: 'an object that is there has its place on disk before an upload is answered with it',
    file: `${store}/git-repository.ts`,
    from: '      if (found) await fsyncDirectory(this.#packs.path)\n',
    to: '',
    tests: [crashes]
  },
  {
    name: 'an upload is synced on its way',
    file: `${large}/git-spool.ts`,
    from: 'file.settled - this.#syncedFrom >= syncBytes ? this.#beginSync() : undefined',
    to: 'undefined',
    tests: [crashes]
  },
  {
    name: 'the pack of an upload is on disk before it is moved in',
    file: `${large}/git-spool.ts`,
    from: '        await this.#guarded(() => file.sync())\n',
    to: '',
    tests: [crashes]
  },
  {
    name: 'the blob of an upload is noted on disk before it is answered',
    file: `${large}/git-spool.ts`,
    from: '      await record.add({ done: blob })\n      await record.sync()\n',
    to: '      await record.add({ done: blob })\n',
    tests: [crashes]
  },
  {
    name: 'after a sync that failed, only what was synced before is held',
    file: `${large}/git-spool.ts`,
    from: 'Math.min(this.#failure.held, file.offset)',
    to: 'file.offset',
    tests: [crashes]
  },
  {
    name: 'after a crash of the machine, only what is known to be on disk is held',
    file: `${large}/git-spools.ts`,
    from: 'record.boot === (await bootId()) ? bytes : record.synced',
    to: 'bytes',
    tests: [crashes]
  },
  {
    name: 'the end of a pack is not taken for content',
    file: `${large}/git-spools.ts`,
    from: 'record.ending?.size ?? bytes',
    to: 'bytes',
    tests: [crashes]
  },
  {
    name: 'a pack that is in its place is not written to',
    file: `${large}/git-spools.ts`,
    from: 'content === undefined || content.nlink === 1',
    to: 'true',
    tests: [crashes]
  },
  {
    name: 'an upload of an earlier repository of the name is none',
    file: `${large}/git-spools.ts`,
    from: 'record === undefined || record.instance === instance',
    to: 'true',
    tests: [crashes]
  },
  {
    name: 'the content of a blob that is there goes at the next start',
    file: `${large}/git-spools.ts`,
    from: '      if (record.done) await rm(join(directory, contentName), { force: true })\n',
    to: '',
    tests: [crashes]
  },
  {
    name: 'a short write is gone on with',
    file: `${large}/spool-file.ts`,
    from: '    await this.#write(bytes.subarray(bytesWritten), position + bytesWritten)\n',
    to: '',
    tests: [crashes]
  },
  {
    name: 'an upload ends with a write that failed',
    file: `${large}/spool-file.ts`,
    from: '    await this.#writing\n    if (this.#failure) throw this.#failure.error\n',
    to: '    await this.#writing\n',
    tests: [crashes]
  },
  {
    name: 'Adler-32 reduces its sums before they overflow',
    file: `${large}/adler32.ts`,
    from: 'Math.min(runs, at + reducedBytes)',
    to: 'runs',
    tests: ['test/store/adler32.test.ts']
  },
  {
    name: 'the last block tells that it is the last',
    file: `${large}/spool-file.ts`,
    from: '    await this.#writeBuffer(size)\n',
    to: '    await this.#writeBuffer(undefined)\n',
    tests: [blobs]
  }
]
