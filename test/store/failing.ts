/** File operations of a store that fail. */
import type { TestContext } from 'node:test'
import { type FileOperation, watchFiles } from '../support/file-operations.ts'

/** Makes the operations fail for which `isHit` holds, once it is turned on: before a file is opened whose operations are. */
export async function failing(context: TestContext, directory: string, isHit: (operation: FileOperation) => boolean) {
  const faults = { isOn: false }
  const stop = await watchFiles(directory, {
    before(operations) {
      if (faults.isOn && operations.some(isHit)) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
  })
  context.after(stop)
  return faults
}
