/** The cases in a worker of a page. */
import * as blobwire from 'blobwire'
import { type Addresses, runCases } from './cases.ts'

interface Message {
  readonly data: { readonly name: string; readonly addresses: Addresses }
}

interface WorkerScope {
  onmessage: (message: Message) => void
  postMessage(message: unknown): void
}

const worker = globalThis as unknown as WorkerScope

worker.onmessage = async ({ data: { name, addresses } }) => {
  worker.postMessage(await runCases({ blobwire, name, ...addresses }))
}
