/** Signed commits and tags without a branch: the client makes the object, has it signed, and stores its bytes. */

import type { CallOptions } from '../call/call-options.ts'
import { invalidArgument } from '../core/error.ts'
import { type CommitFields, encodeCommit } from '../git/commit.ts'
import { checkTagToSign, signedCommit, signedTag } from '../git/object-signature.ts'
import type { ObjectKind } from '../git/oid.ts'
import { encodeTag, type TagFields } from '../git/tag.ts'
import type { StoreCommitInput, StoreTagInput } from './inputs.ts'
import type { RepositoryContext } from './repository-context.ts'
import { askForSignature, type Sign } from './sign.ts'
import { prepare } from './to-request.ts'

type Signed<Input> = Input & { readonly sign: Sign }
type Remaining = () => CallOptions & { readonly timeoutMs: number }

/** @throws BlobwireError; see `Repository.storeCommit` */
export async function storeSignedCommit(
  context: RepositoryContext,
  { sign, ...input }: Signed<StoreCommitInput>,
  options: CallOptions
): Promise<{ oid: string }> {
  const remaining = context.invoker.shared(options)
  const unsigned = encodeCommit(prepare('storeCommit', input, context.defaults) as CommitFields)
  await context.fetchFormat(remaining())
  const signature = await ask(context, { sign, unsigned, remaining })
  const content = signedCommit(unsigned, signature, context.defaults.objectFormat)
  return store(context, { kind: 'commit', content, remaining })
}

/** @throws BlobwireError; see `Repository.storeTag` */
export async function storeSignedTag(
  context: RepositoryContext,
  { sign, ...input }: Signed<StoreTagInput>,
  options: CallOptions
): Promise<{ oid: string }> {
  const remaining = context.invoker.shared(options)
  if (input.kind === undefined)
    throw invalidArgument('kind', "is required where the tag is signed, such as 'commit'", 'storeTag')
  const unsigned = encodeTag(prepare('storeTag', input, context.defaults) as TagFields)
  // Before the application is asked, whose key may be one that a person has to touch.
  checkTagToSign(unsigned)
  const content = signedTag(unsigned, await ask(context, { sign, unsigned, remaining }))
  return store(context, { kind: 'tag', content, remaining })
}

function ask(
  { invoker: { clock } }: RepositoryContext,
  { sign, unsigned, remaining }: { sign: Sign; unsigned: Uint8Array; remaining: Remaining }
): Promise<unknown> {
  return askForSignature(sign, unsigned, { options: remaining(), clock })
}

async function store(
  { invoker, repository }: RepositoryContext,
  { kind, content, remaining }: { kind: ObjectKind; content: Uint8Array; remaining: Remaining }
): Promise<{ oid: string }> {
  const { oid } = await invoker.operation('storeObject', { repository, kind, content }, remaining())
  return { oid }
}
