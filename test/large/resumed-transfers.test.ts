/** Transfers through the client and faults: cut again and again, corrupt, with a lost answer; each byte is sent once. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { FaultRule } from '../../server-fixture/faults/rules.ts'
import type { IncomingUpload, VcsService } from '../../server-fixture/service/vcs-service.ts'
import { blobOid } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const limits = { maxInlineBytes: 64 * 1024, chunkBytes: 16 * 1024 }
const content = randomBytes(1_500_000)
const retry = { baseMs: 1, maxMs: 2, budgetPerSecond: 1e6 }
const cuts: FaultRule['fault'] = { kind: 'cut', afterBytes: 100_000, jitterBytes: 100_000 }

/** The same service, which tells the bytes that it takes. */
function counting(service: VcsService, onTaken: (bytes: number) => void): VcsService {
  const count = (upload: IncomingUpload): IncomingUpload => ({
    get offset() {
      return upload.offset
    },
    write(chunk) {
      onTaken(chunk.length)
      return upload.write(chunk)
    },
    finish: (digests) => upload.finish(digests),
    release: () => upload.release()
  })
  return {
    limits: service.limits,
    capabilities: () => service.capabilities(),
    call: (method, request, context) => service.call(method, request, context),
    sessionBatch: (batch, context) => service.sessionBatch(batch, context),
    upload: async (opening, context) => count(await service.upload(opening, context)),
    download: (request, context) => service.download(request, context),
    watch: (request, sink, context) => service.watch(request, sink, context)
  }
}

for (const store of ['memory', 'git'] as const) {
  for (const transport of transports) {
    for (const size of [content.length, undefined]) {
      const known = size === undefined ? 'unknown' : 'known'
      test(`${store} store, ${transport}, ${known} size: eight cuts and a lost answer each way`, async (context) => {
        const faults = new Faults()
        const effects: string[] = []
        let taken = 0
        const decorate = (service: VcsService) => counting(service, (bytes) => (taken += bytes))
        const onEffect = ({ name }: { name: string }) => effects.push(name)
        const fixture = atEnd(context, await testServer({ store, limits, faults, decorate, onEffect }))
        const repo = fixture.client({ transport, retry }).repository('demo')
        await repo.createRepository()
        faults.add({ rpc: 'UploadBlob', count: 8, fault: cuts })
        faults.add({ rpc: 'UploadBlob', count: 1, fault: { kind: 'lost_answer' } })
        const source = async function* () {
          for (let at = 0; at < content.length; at += 70_000) yield content.subarray(at, at + 70_000)
        }
        const { oid } = await repo.upload(source, size === undefined ? {} : { size })
        assert.equal(oid, blobOid(content))
        assert.equal(taken, content.length, 'the server takes each byte once')
        assert.deepEqual(effects.slice(1), [oid])
        faults.add({ rpc: 'DownloadBlob', count: 8, fault: cuts })
        faults.add({ rpc: 'DownloadBlob', count: 1, fault: { kind: 'lost_answer' } })
        assert.ok(content.equals(await repo.download(oid).bytes()))
        assert.deepEqual([faults.fired('cut'), faults.fired('lost_answer')], [16, 2])
      })
    }
  }
}

for (const transport of transports) {
  test(`${transport}: one flipped bit, on either way, is data_loss, and nothing is stored`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ limits, faults }))
    const repo = fixture.client({ transport, retry }).repository('demo')
    await repo.createRepository()
    const lost = { code: 'data_loss', reason: 'integrity' }
    faults.add({ rpc: 'UploadBlob', fault: { kind: 'corrupt', afterBytes: 1_000_000 } })
    await assert.rejects(repo.upload(content), lost)
    faults.clear()
    const oid = blobOid(content)
    assert.deepEqual((await repo.findMissing([oid])).missing, [oid])
    await repo.upload(content)
    faults.add({ rpc: 'DownloadBlob', fault: { kind: 'corrupt', afterBytes: 1_000_000 } })
    await assert.rejects(repo.download(oid).bytes(), lost)
    await assert.rejects(repo.download(oid, { start: 5, end: 1_200_000 }).bytes(), lost)
  })
}
