/**
 * The requests that bring bytes of uploads at present. An offset that a client is told must be one at which it can go on
 * (draft-ietf-httpbis-resumable-upload, "Concurrency"): to ask for it ends a request that its client has given up, but that
 * still comes.
 */
import { BlobwireError } from '../../src/core/error.ts'
import type { VcsService } from '../service/vcs-service.ts'
import type { Transfer } from '../transfers/transfer.ts'

const uploads = new WeakMap<VcsService, Map<string, Transfer>>()

/** Notes the request until its end. */
export function noteRunning(service: VcsService, upload: string, transfer: Transfer): void {
  const running = uploads.get(service) ?? new Map<string, Transfer>()
  uploads.set(service, running)
  running.set(upload, transfer)
  transfer.ended.then(() => {
    if (running.get(upload) === transfer) running.delete(upload)
  })
}

/** Ends the request that brings bytes of the upload; undefined = there is none. */
export function endRunning(service: VcsService, upload: string): Promise<void> | undefined {
  const transfer = uploads.get(service)?.get(upload)
  const message = 'another request has asked for the offset of the upload'
  transfer?.abort(new BlobwireError({ reason: 'upload_taken_over', message }))
  return transfer?.ended
}
