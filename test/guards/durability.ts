/** Guards of the Git store: an answer outlives a crash, and a start after one sees whole things alone. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
const durability = 'test/store/durability.test.ts'
const journal = 'test/store/request-journal.test.ts'
const requestKill = 'test/store/request-kill.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the directory of packs is synced before a put is answered',
    file: `${store}/pack-installer.ts`,
    from: '      await fsyncDirectory(target)\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'a pack is moved in before its index',
    file: `${store}/pack-installer.ts`,
    from: '[`pack-${hash}.pack`, `pack-${hash}.idx`]',
    to: '[`pack-${hash}.idx`, `pack-${hash}.pack`]',
    tests: [durability]
  },
  {
    name: 'git itself syncs packs and refs',
    file: `${store}/git-process.ts`,
    from: "'core.fsync': 'all'",
    to: "'core.fsync': 'none'",
    tests: [durability]
  },
  {
    name: 'the directories of moved refs are synced before the move is answered',
    file: `${store}/ref-mover.ts`,
    from: '      await this.#sync(calls.flatMap(({ moves }) => moves))\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'the directories of refs that a start finds moved are synced',
    file: `${store}/ref-mover.ts`,
    from: '    await this.#sync(moves)\n    return true',
    to: '    return true',
    tests: [durability, requestKill]
  },
  {
    name: 'directories are synced up to the data directory',
    file: `${store}/fsync.ts`,
    from: 'path.length >= top.length && !paths.has(path)',
    to: 'path.length > top.length && !paths.has(path)',
    tests: [durability]
  },
  {
    name: 'a new repository is synced whole before it is moved to its place',
    file: `${store}/repository-directories.ts`,
    from: '      await fsyncTree(making)\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'the place of a new repository is synced before the creation is answered',
    file: `${store}/repository-directories.ts`,
    from: '      await rename(making, path)\n      await this.syncPlace(repository)\n',
    to: '      await rename(making, path)\n',
    tests: [durability]
  },
  {
    name: 'the place of a deleted repository is synced before the deletion is answered',
    file: `${store}/repository-directories.ts`,
    from: '      await rename(path, removing)\n      await this.syncPlace(repository)\n',
    to: '      await rename(path, removing)\n',
    tests: [durability]
  },
  {
    name: 'a repository is deleted by a rename, at once',
    file: `${store}/repository-directories.ts`,
    from: '      await rename(path, removing)\n',
    to: '      await rm(path, { recursive: true })\n',
    tests: [durability]
  },
  {
    name: 'the id of an older repository is on disk before it is used',
    file: `${store}/repository-directories.ts`,
    from: '  await rename(`${path}.new`, path)\n  await fsyncDirectory(gitDir)\n',
    to: '  await rename(`${path}.new`, path)\n',
    tests: [durability]
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
    tests: [durability]
  },
  {
    name: 'a torn end of the journal is cut off',
    file: `${store}/journal-segments.ts`,
    from: '        await truncate(join(directory, fileName(number)), segment.size)\n',
    to: '',
    tests: [journal]
  },
  {
    name: 'damage before the end of the journal is told',
    file: `${store}/journal-segments.ts`,
    from: 'if (number !== Math.max(...numbers)) throw damaged(directory, segment)',
    to: '',
    tests: [journal]
  },
  {
    name: 'records of the journal have checksums',
    file: `${store}/journal-segments.ts`,
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
    name: 'a failed write of the journal is taken back',
    file: `${store}/journal-segments.ts`,
    from: 'await truncateHandle(handle, segment.size).catch((failure: unknown) => {\n        this.#broken = failure\n      })',
    to: '',
    tests: [journal]
  },
  {
    name: 'git is told where each ref has to be',
    file: `${store}/ref-transactions.ts`,
    from: '`update ${name}\\0${newOid}\\0${expectedOid}\\0`',
    to: '`update ${name}\\0${newOid}\\0\\0`',
    tests: ['test/store/git-store.test.ts', 'test/store/git-faults.test.ts', 'test/store/contract.test.ts']
  },
  {
    name: 'the intent is on disk before the refs move',
    file: `${store}/ref-mover.ts`,
    from: '        await this.#intend(calls)\n',
    to: '        void this.#intend(calls)\n',
    tests: [requestKill, durability]
  },
  {
    name: 'marks of earlier moves are on disk before a move without a key',
    file: `${store}/ref-mover.ts`,
    from: 'if (fresh.length === 0) return await journal.flush()',
    to: 'if (fresh.length === 0) return',
    tests: [durability]
  },
  {
    name: 'marks of earlier moves are on disk before a repository is created or deleted',
    file: `${store}/git-store.ts`,
    from: '    if (ids.length === 0) await this.#journal.flush()\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'a creation or deletion that others see is remembered although it failed later',
    file: `${store}/git-store.ts`,
    from: 'if (await this.#hadEffect(intent)) this.#journal.assumeDone(ids)\n      else this.#journal.drop(ids)',
    to: 'this.#journal.drop(ids)',
    tests: ['test/store/git-faults.test.ts', requestKill]
  },
  {
    name: 'a start settles the writes that a killed server left open',
    file: `${store}/git-store.ts`,
    from: 'for (const intent of journal.openIntents()) await store.#settle(intent)',
    to: '',
    tests: [requestKill]
  },
  {
    name: 'a start syncs a creation or deletion that it finds done',
    file: `${store}/git-store.ts`,
    from: "if (done && intent.effect !== 'moves') await this.#directories.syncPlace(intent.repository)",
    to: '',
    tests: [durability]
  },
  {
    name: 'an intent is of one repository, not of a later one of its name',
    file: `${store}/git-store.ts`,
    from: 'return same && (await this.#use(repository, (found) => found.settleMoves(moves)))',
    to: 'return await this.#use(repository, (found) => found.settleMoves(moves))',
    tests: [requestKill]
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
    file: `${store}/git-store.ts`,
    from: '      await directories.removeTemporary()\n',
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
    from: '    await rename(temporary, path)\n    await fsyncDirectory(directory)\n',
    to: '    await rename(temporary, path)\n',
    tests: [durability]
  },
  {
    name: 'an object missing during a repack is looked up again',
    file: `${store}/object-reader.ts`,
    from: '    if (before % 2 === 1 || before !== this.#packSequence()) await this.#lookAgain(command, valid, answers)\n',
    to: '',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'one object that git refuses does not fail its neighbours',
    file: `${store}/object-writer.ts`,
    from: "puts.length > 1 && error instanceof BlobwireError && error.code === 'internal'",
    to: 'false',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'a second put of an object waits for the first',
    file: `${store}/object-writer.ts`,
    from: 'if (earlier !== put) waitFor.add(earlier)',
    to: '',
    tests: ['test/store/contract.test.ts', 'test/store/git-faults.test.ts']
  },
  {
    name: 'objects of a failed put are not taken for written',
    file: `${store}/object-writer.ts`,
    from: 'if (error === undefined) this.#recent.add(oid)',
    to: 'this.#recent.add(oid)',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'calls for one ref are carried out in order of arrival',
    file: `${store}/ref-queue.ts`,
    from: 'if (fits && !names.some((name) => refs.has(name)))',
    to: 'if (fits)',
    tests: ['test/store/ref-queue.test.ts']
  },
  {
    name: 'segments of the journal are kept while a key or an open intent is in them',
    file: `${store}/journal-segments.ts`,
    from: '|| first.lastAt >= before || first.number >= needed)',
    to: ')',
    tests: [journal]
  }
]
