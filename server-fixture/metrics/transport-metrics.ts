/** The figures of one transport while they grow. */
import type { Messages } from '../../src/schema/messages.ts'
import { CallTable, type NumberedResult } from './call-table.ts'
import type { Notable } from './notable.ts'
import type { CallTransport, MessageFigures, TransportFigures } from './snapshot.ts'

class MessageCounts {
  #messages = 0
  #wireBytes = 0
  #plainBytes = 0

  add(wireBytes: number, plainBytes: number): void {
    this.#messages++
    this.#wireBytes += wireBytes
    this.#plainBytes += plainBytes
  }

  figures(): MessageFigures {
    return { messages: this.#messages, wireBytes: this.#wireBytes, plainBytes: this.#plainBytes }
  }
}

/** One transport. Its methods are called once for each request, message or frame. */
export class TransportMetrics {
  readonly name: CallTransport
  readonly notable: Notable
  readonly calls = new CallTable()
  readonly batchOperations = new CallTable()
  readonly received = new MessageCounts()
  readonly sent = new MessageCounts()
  streams = 0
  /** Those of them that are no calls: sessions, and streams that last as long as their client wants. */
  lasting = 0
  sessions = 0
  sessionsOpened = 0
  frames = 0
  /** Operations of frames without an answer. */
  pending = 0
  uploadedBytes = 0
  downloadedBytes = 0

  constructor(name: CallTransport, notable: Notable) {
    this.name = name
    this.notable = notable
  }

  sessionOpened(): void {
    this.sessions++
    this.sessionsOpened++
  }

  sessionEnded(): void {
    this.sessions--
  }

  frameReceived(operations: number): void {
    this.frames++
    this.pending += operations
  }

  /** Nobody waits for the answers of these operations any more, and they were not begun. */
  dropped(operations: number): void {
    this.pending -= operations
  }

  /** A batch of a frame has its results. */
  batchEnded(
    operations: readonly Messages['Operation'][],
    results: readonly NumberedResult[],
    durationMs: number
  ): void {
    this.pending -= operations.length
    this.calls.batchEnded(operations, results, durationMs)
  }

  figures(): TransportFigures {
    return {
      calls: this.calls.figures(),
      batchOperations: this.batchOperations.figures(),
      inFlight: this.streams - this.lasting + this.pending,
      streams: this.streams,
      sessions: this.sessions,
      sessionsOpened: this.sessionsOpened,
      frames: this.frames,
      received: this.received.figures(),
      sent: this.sent.figures(),
      uploadedBytes: this.uploadedBytes,
      downloadedBytes: this.downloadedBytes
    }
  }
}
