/**
 * A signed commit of changes. The server prepares the tree on its head; the client makes the commit, has it signed, and
 * sends it for that head. Where others move the branch in the meantime, that is done again on the new head.
 */

import { BlobwireError } from '../core/error.ts'
import { encodeCommit } from '../git/commit.ts'
import { signedCommit } from '../git/object-signature.ts'
import { hashObject, zeroOid } from '../git/oid.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { contentOf, withOid } from './changes.ts'
import { type Commit, digestOf, ofRound } from './commit-requests.ts'
import { Committing } from './committing.ts'
import type { RepositoryContext } from './repository-context.ts'
import { askForSignature, type Sign } from './sign.ts'
import { committedFields } from './verify/commit.ts'
import { integrity } from './verify/integrity.ts'

type Response = Messages['CommitFilesResponse']
type Asked = Omit<Commit, 'round'>

/** Commits the changes, signed. @throws BlobwireError; see `Repository.commitFiles` */
export async function commitSigned(context: RepositoryContext, commit: Asked, sign: Sign): Promise<Response> {
  await context.fetchFormat(commit.remaining())
  return new SignedCommit(context, commit, sign).run()
}

class SignedCommit {
  readonly #context: RepositoryContext
  readonly #commit: Asked
  readonly #sign: Sign
  readonly #inputDigest: string

  constructor(context: RepositoryContext, commit: Asked, sign: Sign) {
    this.#context = context
    this.#commit = commit
    this.#sign = sign
    const changes = commit.changes.map((change) => {
      const content = contentOf(change)
      return content ? withOid(change, hashObject('blob', content, context.defaults.objectFormat)) : change
    })
    this.#inputDigest = digestOf({ fields: commit.fields, changes }, 'signed')
  }

  async run(): Promise<Response> {
    for (let round = 0; ; round++) {
      try {
        return await this.#commitOnHead(round)
      } catch (error) {
        const isMoved = error instanceof BlobwireError && error.is('ref_mismatch')
        if (this.#commit.fields.expectedHead !== '' || !isMoved) throw error
      }
    }
  }

  async #commitOnHead(round: number): Promise<Response> {
    const { objectFormat } = this.#context.defaults
    const prepared = await this.#prepare(round)
    if (prepared.result !== 'prepared') return prepared
    const { invoker } = this.#context
    const unsigned = encodeCommit(committedFields(this.#commit.fields, prepared))
    const options = this.#commit.remaining()
    const signature = await askForSignature(this.#sign, unsigned, { options, clock: invoker.clock })
    const commitObject = signedCommit(unsigned, signature, objectFormat)
    const expectedHead = prepared.parents[0] ?? zeroOid(objectFormat)
    const response = await this.#send({ commitObject, expectedHead }, round)
    const oid = hashObject('commit', commitObject, objectFormat)
    if (invoker.options.verify && response.oid !== oid) await this.#checkRepetition(response)
    return response
  }

  /** The tree on its head; or the answer to an earlier call under the key, whose commit may be what stands in the way. */
  async #prepare(round: number): Promise<Response> {
    const { branch, expectedHead } = this.#commit.fields
    const fields = { branch, expectedHead, prepare: true }
    try {
      return await new Committing(this.#context, { ...this.#commit, fields }).run()
    } catch (error) {
      if (!(error instanceof BlobwireError) || !isOfState(error)) throw isOlderServer(error) ? tooOld(error) : error
      return this.#send({ expectedHead }, round).catch((other) => {
        // Without a commit, the server refuses what it does not remember.
        throw other instanceof BlobwireError && other.code === 'invalid_argument' && other.reason === '' ? error : other
      })
    }
  }

  #send(made: { commitObject?: Uint8Array; expectedHead: string }, round: number): Promise<Response> {
    const { invoker, repository } = this.#context
    const { fields, remaining } = this.#commit
    const request = { repository, branch: fields.branch, ...made, inputDigest: this.#inputDigest }
    return invoker.invoke(methods.commitFiles, request, ofRound(remaining(), round))
  }

  /** Another commit than the one that was sent is right only as that of an earlier call under the key. */
  async #checkRepetition({ oid, tree, parents }: Response): Promise<void> {
    const { invoker, repository } = this.#context
    const { commit } = await invoker.operation('getCommit', { repository, revision: oid }, this.#commit.remaining())
    const isSame =
      commit.tree === tree &&
      commit.parents.join() === parents.join() &&
      commit.message === this.#commit.fields.message &&
      commit.raw.length > 0
    if (!isSame) throw integrity('new commit', 'the signed commit', oid)
  }
}

/** Whether the state of the repository is the cause, which an earlier call under the key may have changed. */
function isOfState({ code }: BlobwireError): boolean {
  return code === 'aborted' || code === 'failed_precondition' || code === 'not_found'
}

/** A server that does not know of prepared commits misses the author. */
function isOlderServer(error: unknown): boolean {
  if (!(error instanceof BlobwireError) || error.code !== 'invalid_argument') return false
  return error.details.violations?.some(({ field }) => field.endsWith('author')) ?? false
}

function tooOld(cause: unknown): BlobwireError {
  const message = 'the server is too old for signed commits by commitFiles; storeCommit and updateRefs work'
  return new BlobwireError({ code: 'unimplemented', message, sent: 'processed', attempts: 1, cause })
}
