/** The options of transfers, as they are without any, by name; and the words that their documentation has for them. */
import { CallInvoker } from '../../src/client/call-invoker.ts'
import { takeDownloadOptions } from '../../src/client/download.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { named } from './found-defaults.ts'

export function transferOptions(endpoint: string) {
  const invoker = new CallInvoker(resolveOptions({ endpoint }))
  const { range, parallel } = takeDownloadOptions(invoker, {})
  const nothing = undefined
  const found = {
    ...named('DownloadOptions', { ...range, parallel }),
    ...named('TransferOptions', { ...invoker.transferOf({}), onProgress: nothing }),
    ...named('UploadOptions', { size: nothing, oid: nothing, resume: nothing, onResumeToken: nothing })
  }
  return { found, words: { 'the end of the blob': undefined } }
}
