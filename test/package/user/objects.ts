/** The part of the program that stores objects as they are. */
import type {
  GetObjectResponse,
  GetTagResponse,
  ObjectAddress,
  ObjectKind,
  ObjectWarning,
  Repository,
  StoreObjectInput,
  StoreObjectResponse,
  StoreTagInput,
  StoreTagResponse,
  Tag
} from 'blobwire'
import { seen } from './interceptors.ts'
import { transfers } from './transfers.ts'

export async function objects(repo: Repository): Promise<void> {
  const address: ObjectAddress = { revision: 'main' }
  const read: GetObjectResponse = await repo.getObject(address)
  const kind: ObjectKind = read.kind
  const input: StoreObjectInput = { kind, content: read.content, check: 'lenient' }
  const stored: StoreObjectResponse = await repo.storeObject(input)
  const warnings: ObjectWarning[] = stored.warnings
  for (const { id, message } of warnings) seen.push(`${id}: ${message}`)
  const made: StoreTagInput = { object: stored.oid, name: 'v1', tagger: { name: 'A', email: 'a@b' }, message: 'm\n' }
  const tagged: StoreTagResponse = await repo.storeTag(made)
  const answer: GetTagResponse = await repo.getTag(tagged.oid)
  const tag: Tag = answer.tag
  seen.push(tag.tagger?.name ?? '', `${await transfers(repo)} bytes`)
}
