/** Reads all objects of a repository, reached by refs or not, in the order in which a store scans them. */
import type { Store } from '../store/store.ts'
import { type LargerObject, ObjectSource, type SourceRepository, smallBytes } from './object-source.ts'
import type { PackFile } from './pack-file.ts'

const pageObjects = 1000

/** A store that scans. */
type ScanningSource = SourceRepository & { readonly store: Required<Pick<Store, 'scanObjects'>> }

/** Takes all objects into the pack; a page is read while the one before is written. */
export async function scanObjects(source: SourceRepository, pack: PackFile): Promise<void> {
  const { store, repository } = source as ScanningSource
  const objects = new ObjectSource(source, pack)
  const read = (after: string) => store.scanObjects(repository, { after, limit: pageObjects, maxBytes: smallBytes })
  let page = await read('')
  while (page.length > 0) {
    const next = read(page.at(-1)?.oid ?? '')
    // Its failure is thrown below, where the page before was written.
    next.catch(() => undefined)
    const larger: LargerObject[] = []
    const whole = []
    for (const { oid, kind, size, content, deflated } of page) {
      if (deflated !== undefined) await pack.addDeflated(kind, size, deflated)
      else if (content !== undefined) whole.push({ oid, kind, content })
      else larger.push({ oid, kind, size })
    }
    await pack.add(whole)
    await objects.takeLarger(larger)
    page = await next
  }
}
