/** The methods of the service for large blobs. */
import type { BlobwireError } from '../../src/core/error.ts'
import type { Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { Store } from '../store/store.ts'
import type { CallContext } from './context.ts'
import { openDownload } from './downloads.ts'
import { again } from './replaced.ts'
import { cancelUpload, openUpload, queryUpload } from './uploads.ts'
import type { IncomingUpload, OutgoingBlob, UploadOpening } from './vcs-service.ts'
import type { Workspace } from './workspace.ts'

/** What transfers need of the service. */
export interface TransferDependencies {
  readonly store: Store
  readonly limits: Limits
  /** The error for the client. */
  report(error: unknown, requestId: string): BlobwireError
  open(repository: string, context: CallContext): Promise<Workspace> | Workspace
}

export class Transfers {
  readonly #dependencies: TransferDependencies
  /** The unary methods, by name. */
  readonly handlers: Readonly<Record<string, (request: never, context: CallContext) => Promise<object>>>

  constructor(dependencies: TransferDependencies) {
    const { store, limits } = dependencies
    this.#dependencies = dependencies
    this.handlers = {
      QueryUpload: (request: Messages['QueryUploadRequest'], context) => queryUpload(store, request, context),
      CancelUpload: (request: Messages['CancelUploadRequest'], context) => cancelUpload(store, request, context)
    }
    store.boundUploads(limits)
  }

  async upload(opening: UploadOpening, context: CallContext): Promise<IncomingUpload> {
    const { store, limits } = this.#dependencies
    const report = this.#reporter(context)
    return again(() => openUpload({ store, limits, report }, opening, context)).catch(throwing(report))
  }

  async download(request: Messages['DownloadBlobRequest'], context: CallContext): Promise<OutgoingBlob> {
    const { store, limits, open } = this.#dependencies
    const report = this.#reporter(context)
    const options = { context, open: () => open(request.repository, context) }
    return again(() => openDownload({ store, limits, report }, request, options)).catch(throwing(report))
  }

  #reporter({ requestId }: CallContext): (error: unknown) => BlobwireError {
    return (error) => this.#dependencies.report(error, requestId)
  }
}

const throwing = (report: (error: unknown) => BlobwireError) => (error: unknown) => {
  throw report(error)
}
