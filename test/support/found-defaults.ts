/** Options of which no request tells, as they are without the caller's. */
import { blobOid, commitOid, type Signature, treeOid } from '../../src/index.ts'

/** Values by the names of their options. */
export const named = (owner: string, values: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${owner}.${name}`, value]))

/** Options of the functions that compute oids. */
export function offlineOptions(tree: string, dated: Signature): Readonly<Record<string, unknown>> {
  const commit = { tree, author: dated, message: '' }
  const isSame = commitOid(commit) === commitOid({ ...commit, committer: dated })
  const file = { path: 'a', content: '' }
  const mode = (['100644', '100755'] as const).find((each) => treeOid([file]) === treeOid([{ ...file, mode: each }]))
  return {
    'OidOptions.objectFormat': blobOid('').length === 40 ? 'sha1' : 'sha256',
    'DatedCommit.committer': isSame ? dated : undefined,
    'TreeFile.mode': mode
  }
}
