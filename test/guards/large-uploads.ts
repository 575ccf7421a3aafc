/** Guards of uploads and downloads in the service, and of the state machine that stores share. */
import type { Guard } from './guard.ts'

const uploads = 'server-fixture/store/uploads'
const service = 'server-fixture/service'
const machine = 'test/store/uploads.test.ts'
const contract = 'test/store/contract.test.ts'
const transfers = 'test/server/transfers.test.ts'
const faults = 'test/server/faulty-transfers.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'an upload that is being opened ends with its repository',
    file: 'server-fixture/store/uploads/uploads.ts',
    from: '(place) => this.#inTurn(place, () => end(place))',
    to: 'end',
    tests: ['test/store/upload-races.test.ts']
  },
  {
    name: 'a store that closes does not read what an upload holds to its end',
    file: 'server-fixture/store/uploads/uploads.ts',
    from: '      if (this.#isClosed) throw closing()\n      yield chunk\n',
    to: '      yield chunk\n',
    tests: ['test/store/upload-races.test.ts']
  },
  {
    name: 'a writer ends before another one has the upload',
    file: `${uploads}/uploads.ts`,
    from: '      await this.#writers.get(place)?.end(takenOver(id))\n',
    to: '',
    tests: [machine, contract]
  },
  {
    name: 'a writer that ends waits for what it began',
    file: `${uploads}/spool-writer.ts`,
    from: '    await this.#pending\n',
    to: '',
    tests: [machine]
  },
  {
    name: 'a writer that has ended takes nothing more',
    file: `${uploads}/spool-writer.ts`,
    from: '    if (this.#ended) throw this.#ended\n',
    to: '',
    tests: [contract]
  },
  {
    name: 'what another process took is hashed before an upload goes on',
    file: `${uploads}/content-hasher.ts`,
    from: 'offset === this.#offset && ',
    to: '',
    tests: [machine]
  },
  {
    name: 'the hash of an upload that another process removed is not that of the next one',
    file: `${uploads}/content-hasher.ts`,
    from: ' && identity === this.#hashed.identity',
    to: '',
    tests: [machine]
  },
  {
    name: 'an upload with another oid is not stored',
    file: `${uploads}/content-hasher.ts`,
    from: 'digests.oid !== undefined && digests.oid !== oid',
    to: 'digests.oid === ""',
    tests: [transfers]
  },
  {
    name: 'an upload with another SHA-256 is not stored',
    file: `${uploads}/content-hasher.ts`,
    from: 'if (sha256 === undefined || Buffer.compare(sha256, found) === 0) return',
    to: 'if (found.length > 0) return',
    tests: [transfers]
  },
  {
    name: 'the second pass of an upload of unknown size sees the bytes that came',
    file: `${uploads}/content-hasher.ts`,
    from: 'checksum !== this.#checksum',
    to: 'checksum < 0',
    tests: [machine]
  },
  {
    name: 'an upload with other bytes than its digests is gone',
    file: `${uploads}/spool-writer.ts`,
    from: "      if ((error as BlobwireError).reason === 'integrity') await this.#remove()\n",
    to: '',
    tests: [transfers]
  },
  {
    name: 'a blob is not stored before all of its bytes are there',
    file: `${uploads}/spool-writer.ts`,
    from: 'size !== undefined && offset < size',
    to: 'offset < 0',
    tests: [contract]
  },
  {
    name: 'no byte is taken beyond the size of an upload',
    file: `${uploads}/spool-writer.ts`,
    from: 'size !== undefined && end > size',
    to: 'end < 0',
    tests: [contract]
  },
  {
    name: 'no upload grows beyond the size that blobs may have',
    file: `${uploads}/spool-writer.ts`,
    from: 'if (end > maxBlobBytes)',
    to: 'if (end < 0)',
    tests: [transfers]
  },
  {
    name: 'uploads together hold no more than the quota',
    file: `${uploads}/upload-quota.ts`,
    from: 'if (this.#total + bytes > this.maxBytes)',
    to: 'if (bytes > this.maxBytes)',
    tests: [machine]
  },
  {
    name: 'a blob frees the room of its upload',
    file: `${uploads}/spool-writer.ts`,
    from: '    quota.delete(place)\n    return uploaded\n',
    to: '    return uploaded\n',
    tests: [machine]
  },
  {
    name: 'an upload that is written is not removed, however long it takes',
    file: `${uploads}/uploads.ts`,
    from: '    if (this.#writers.has(placeOf(repository, id))) return false\n',
    to: '',
    tests: [machine]
  },
  {
    name: 'abandoned uploads are looked for as long as there are uploads',
    file: `${uploads}/uploads.ts`,
    from: '    if (left > 0 || this.#isShared) this.#scheduleSweep()\n',
    to: '',
    tests: [machine]
  },
  {
    name: 'uploads that were abandoned before the server started are removed',
    file: `${uploads}/uploads.ts`,
    from: '    this.#load().catch(() => this.#scheduleSweep())\n',
    to: '',
    tests: [machine]
  },
  {
    name: 'the uploads of a repository end with it',
    file: 'server-fixture/store/memory-store.ts',
    from: '    await this.#uploads.forget(repository)\n',
    to: '',
    tests: [contract]
  },
  {
    name: 'the rights to an upload are checked before it is begun',
    file: `${service}/uploads.ts`,
    from: '  authorizeChange(context, repository)\n',
    to: '',
    tests: [transfers]
  },
  {
    name: 'the rights to a download are checked before it is opened',
    file: `${service}/downloads.ts`,
    from: "  authorize(context, 'read', repository)\n",
    to: '',
    tests: [transfers]
  },
  {
    name: 'an upload goes on nowhere else than where it is',
    file: `${service}/uploads.ts`,
    from: 'offset !== undefined && offset !== writer.offset',
    to: 'offset === -1',
    tests: [transfers]
  },
  {
    name: 'an upload that is gone does not begin anew in its middle',
    file: `${service}/uploads.ts`,
    from: 'throw noUpload(uploadId)\n  const writer',
    to: 'await store.openUpload(repository, uploadId, size)\n  const writer',
    tests: [transfers]
  },
  {
    name: 'bytes that are not those of the oid never leave as a whole blob',
    file: `${service}/downloads.ts`,
    from: 'isWhole ? digest.toString',
    to: 'isWhole && at < 0 ? digest.toString',
    tests: [transfers]
  },
  {
    name: 'the last bytes of a blob wait for its digest',
    file: `${service}/downloads.ts`,
    from: '        if (last) yield last\n        last = chunk.subarray(from, from + chunkBytes)\n',
    to: '        yield chunk.subarray(from, from + chunkBytes)\n',
    tests: [transfers]
  },
  {
    name: 'a download gives other work its turn',
    file: `${service}/downloads.ts`,
    from: '      await chunkOver()\n',
    to: '',
    tests: [transfers]
  },
  {
    name: 'an uploaded blob is an effect once',
    file: 'server-fixture/faults/effects.ts',
    from: '        if (blob.created) onEffect',
    to: '        onEffect',
    tests: [faults]
  }
]
