/** Guards of the Git store: a start after a crash finds whole things alone, and one server works in a directory. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
const durability = 'test/store/durability.test.ts'
const journal = 'test/store/request-journal.test.ts'
const requestKill = 'test/store/request-kill.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the directories of refs that a start finds moved are synced',
    file: `${store}/ref-mover.ts`,
    from: '    await this.#sync(moves)\n    return true',
    to: '    return true',
    tests: [requestKill]
  },
  {
    name: 'records of the journal are synced before they are acknowledged',
    file: `${store}/journal-segments.ts`,
    from: 'await writeAll(handle, Buffer.concat(records), segment.size)\n      await handle.datasync()\n',
    to: 'await writeAll(handle, Buffer.concat(records), segment.size)\n',
    tests: [durability, journal]
  },
  {
    name: 'the name of a new segment of the journal is synced',
    file: `${store}/journal-segments.ts`,
    from: '    await fsyncDirectory(this.#directory)\n',
    to: '',
    tests: ['test/store/sync-order.test.ts', 'test/store/crash-points.test.ts']
  },
  {
    name: 'a torn end of the journal is cut off',
    file: `${store}/journal-segments.ts`,
    from: '        await truncate(join(directory, fileName(number)), segment.size)\n',
    to: '',
    tests: [journal]
  },
  {
    name: 'records of the journal have checksums',
    file: `${store}/journal-record.ts`,
    from: '  if (crc32(bytes.subarray(offset + crcStart, end)) !== bytes.readUInt32BE(offset + 4)) return undefined\n',
    to: '',
    tests: [journal]
  },
  {
    name: 'a journal that could not take a failed write back takes no further one',
    file: `${store}/journal-segments.ts`,
    from: '    if (this.#broken) throw this.#broken\n',
    to: '',
    tests: [journal]
  },
  {
    name: 'a write that comes while another one of the journal fails is not forgotten',
    file: `${store}/journal-segments.ts`,
    from: 'if (this.#queue.every(({ written }) => !written)) return failure',
    to: 'return failure',
    tests: [journal],
    mayHang: true
  },
  {
    name: 'a failed write of the journal is taken back',
    file: `${store}/journal-segments.ts`,
    from: 'await truncateHandle(handle, segment.size).catch((failure: unknown) => {\n        this.#broken = failure\n      })',
    to: '',
    tests: [journal]
  },
  {
    name: 'a creation or deletion that others see is remembered although it failed later',
    file: `${store}/journaled-effects.ts`,
    from: 'if (await this.#hadEffect(intent)) journal.assumeDone(ids)\n      else journal.drop(ids)',
    to: 'journal.drop(ids)',
    tests: ['test/store/git-faults.test.ts', requestKill]
  },
  {
    name: 'a start settles the writes that a killed server left open',
    file: `${store}/journaled-effects.ts`,
    from: 'for (const intent of journal.openIntents()) await this.#settle(intent)',
    to: '',
    tests: [requestKill]
  },
  {
    name: 'a start syncs a creation or deletion that it finds done',
    file: `${store}/journaled-effects.ts`,
    from: '      await directories.syncPlace(intent.repository)\n',
    to: '',
    tests: ['test/store/crash-points.test.ts']
  },
  {
    name: 'a start finishes a transaction that git was killed in',
    file: `${store}/ref-mover.ts`,
    from: 'if (left.length > 0) await this.#transactions.commit(left)',
    to: '',
    tests: [requestKill]
  },
  {
    name: 'a move whose git died after it is done, and no mismatch',
    file: `${store}/ref-mover.ts`,
    from: 'if (this.#transactions.inDoubt) calls = await this.#settleCalls(calls)',
    to: '',
    tests: [requestKill]
  },
  {
    name: 'an index that was not moved in follows at the next start',
    file: `${store}/crash-recovery.ts`,
    from: "if (pack !== name && there.has(pack)) await rename(join(incoming, 'pack', name), join(packs, name))",
    to: '',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'that index is synced in its place before its old one goes',
    file: `${store}/crash-recovery.ts`,
    from: '  await fsyncDirectory(packs)\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'unfinished repositories of a killed server are removed',
    file: `${store}/git-store-dependencies.ts`,
    from: '    await directories.removeTemporary()\n',
    to: '',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'locks of refs that a killed server left are removed',
    file: `${store}/crash-recovery.ts`,
    from: "  await removeStaleLocks(join(gitDir, 'refs'))\n",
    to: '',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'a lock that was taken over after it was read is put back',
    file: `${store}/lock-file.ts`,
    from: '  if (moved !== text) await linked(aside, path)\n',
    to: '',
    tests: ['test/store/lock-takeover.test.ts']
  },
  {
    name: 'the lock of a living process is respected',
    file: `${store}/lock-file.ts`,
    from: '  if (owner !== undefined) throw inUse(directory, owner)\n',
    to: '',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'a process id that was given to another process is not the owner of a lock',
    file: `${store}/lock-file.ts`,
    from: 'return (await startTime(pid)) === started ? pid : undefined',
    to: 'return pid',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'one process opens a directory once',
    file: `${store}/lock-file.ts`,
    from: '    if (held.has(path)) throw inUse(directory, process.pid)\n',
    to: '',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'the processes of a killed server have ended before its repositories are used',
    file: `${store}/lock-file.ts`,
    from: 'if (dead !== undefined) await waitForOrphans(dead)',
    to: '',
    tests: ['test/store/crash-recovery.test.ts']
  },
  {
    name: 'a data directory of a newer format is refused',
    file: `${store}/data-format.ts`,
    from: '  if (format === currentFormat) return\n',
    to: '  if (format !== undefined) return\n',
    tests: ['test/store/data-directory.test.ts']
  },
  {
    name: 'the format of a data directory is on disk before it is used',
    file: `${store}/data-format.ts`,
    from: ', { flush: true })',
    to: ')',
    tests: ['test/store/sync-order.test.ts']
  },
  {
    name: 'objects of a failed put are not taken for written',
    file: 'server-fixture/store/gathering/put-gatherer.ts',
    from: 'if (error === undefined) for (const { oid } of put.objects)',
    to: 'for (const { oid } of put.objects)',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'segments of the journal are kept while a key or an open intent is in them',
    file: `${store}/journal-segments.ts`,
    from: '|| first.number >= needed) return first?.number ?? 0\n      if (first.lastAt >= before && !isSpare(first.number)) return first.number\n',
    to: ') return first?.number ?? 0\n',
    tests: [journal]
  },
  {
    name: 'names of the journal that a killed server had not synced are synced at the start',
    file: `${store}/journal-segments.ts`,
    from: '      await fsyncUpTo([directory], dirname(directory))\n',
    to: '',
    tests: ['test/store/sync-order.test.ts', 'test/store/crash-points.test.ts']
  }
]
