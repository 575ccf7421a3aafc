/** The package in a page of a browser, with the work that tests have the page do. Errors are told as objects. */
import * as blobwire from 'blobwire'
import { type Addresses, type Outcome, runCases } from './cases.ts'

interface Page {
  querySelector(selector: 'input'): { readonly files: { readonly [index: number]: Blob } }
}

declare const document: Page
declare const Worker: new (
  url: string,
  options: { type: 'module' }
) => {
  onmessage: (message: { data: Outcome[] }) => void
  onerror: (error: { message: string }) => void
  postMessage(message: unknown): void
}

export interface Failure {
  readonly code: string
  readonly reason: string
  readonly message: string
}

type Told<Result> = Promise<Result | Failure>
type Options = Omit<Partial<blobwire.ClientOptions>, 'endpoint'>

async function told<Result>(
  options: Options & { readonly endpoint: string },
  work: (client: blobwire.Client) => Promise<Result>
): Told<Result> {
  const client = blobwire.createClient(options)
  try {
    return await work(client)
  } catch (error) {
    if (!(error instanceof blobwire.BlobwireError)) throw error
    const { code, reason, message } = error
    return { code, reason: reason ?? '', message }
  } finally {
    await client.close()
  }
}

const work = {
  cases: (name: string, addresses: Addresses): Promise<Outcome[]> => runCases({ blobwire, name, ...addresses }),

  casesInWorker: (name: string, addresses: Addresses): Promise<Outcome[]> =>
    new Promise((resolve, reject) => {
      const worker = new Worker('worker.js', { type: 'module' })
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.postMessage({ name, addresses })
    }),

  store: (endpoint: string, content: string, options: Options = {}): Told<string> =>
    told({ endpoint, ...options }, async (client) => {
      await client.createRepository('page')
      return (await client.storeBlob('page', content)).oid
    }),

  /** Uploads the file that the user has chosen, and downloads it again. */
  uploadChosen: (
    endpoint: string,
    transport: 'json' | 'msgpack'
  ): Told<{ oid: string; bytes: number; events: number }> =>
    told({ endpoint, transport }, async (client) => {
      const repo = client.repository('page')
      await repo.createRepository()
      const file = document.querySelector('input').files[0] as Blob
      let events = 0
      const { oid } = await repo.upload(file, { onProgress: () => events++ })
      const bytes = await repo.download(oid).bytes()
      return { oid: bytes.length === file.size ? oid : '', bytes: bytes.length, events }
    }),

  /** Aborts the upload when the first of its bytes are on their way. */
  abortUpload: (endpoint: string): Told<unknown> =>
    told({ endpoint }, (client) => {
      const controller = new AbortController()
      const file = document.querySelector('input').files[0] as Blob
      const onProgress = () => controller.abort()
      return client.repository('page').upload(file, { onProgress, signal: controller.signal })
    })
}

export type Work = typeof work

Object.assign(globalThis, { work })
