/** The part of the program that computes oids, and signs what it stores. */
import {
  blobOid,
  commitOid,
  type DatedAuthor,
  type DatedCommit,
  type DatedTag,
  type OidOptions,
  objectOid,
  type Repository,
  type Sign,
  type Signable,
  type TreeFile,
  tagOid,
  treeOid
} from 'blobwire'
import { seen } from './interceptors.ts'

export async function signing(repo: Repository): Promise<void> {
  const format: OidOptions = { objectFormat: 'sha256' }
  const files: TreeFile[] = [
    { path: 'a', content: 'text' },
    { path: 'b', mode: '100755', oid: blobOid('text', format) }
  ]
  const author: DatedAuthor = { name: 'A', email: 'a@b', timeSeconds: 0 }
  const commit: DatedCommit = { tree: treeOid(files, format), author, message: 'm\n' }
  const tag: DatedTag = {
    object: commitOid(commit, format),
    kind: 'commit',
    name: 'v1',
    tagger: author,
    message: 'm\n'
  }
  seen.push(tagOid(tag, format), objectOid('blob', 'text'))
  const sign: Sign = async (object) => `-----BEGIN SSH SIGNATURE-----\n${object.length}`
  const signable: Signable = { sign }
  await repo.storeCommit({ ...commit, ...signable })
  await repo.storeTag({ ...tag, sign })
  await repo.commitFiles({ branch: 'main', changes: { a: 'text' }, author, message: 'm\n', sign })
}
