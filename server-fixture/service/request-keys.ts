/** Carries out writes under their keys: once, and with the first answer for every repetition. */
import { BlobwireError, type BlobwireErrorInit, invalidArgument } from '../../src/core/error.ts'
import { type KeyedRequest, KeyRemembered, type RefMove, type RememberedOutcome, type Store } from '../store/store.ts'
import { toBlobwireError } from './error-detail.ts'

/** The key of a write, and the digest that tells its repetitions from other requests. */
export interface WriteKey {
  readonly key: string
  readonly digest: string
  /** Called right before the effect. @throws BlobwireError where the caller no longer waits */
  readonly throwIfAbandoned?: (() => void) | undefined
  /** Of the call or operation that came with the key. */
  readonly requestId: string
}

/** A write with its response, for the store to remember together with the moves that it makes. */
export function keyedRequest({ key, digest }: WriteKey, response: object, moves: readonly RefMove[]): KeyedRequest {
  return { key, digest, outcome: JSON.stringify({ response }, writeBytes), moves }
}

/** A write that the state of the repository refuses, for the store to remember. */
export function keyedRefusal({ key, digest }: WriteKey, error: BlobwireError): KeyedRequest {
  const { code, reason, message, retryable, details } = error
  const outcome = JSON.stringify({ error: { code, reason, message, retryable, details } }, writeBytes)
  return { key, digest, outcome, moves: [] }
}

/**
 * Whether a refusal follows from the state of the repository, so that it is the answer to every repetition; other errors
 * pass.
 */
export function isStateRefusal({ code, reason }: { readonly code: string; readonly reason: string }): boolean {
  if (code === 'not_found') return reason !== 'repository'
  return code === 'aborted' || code === 'failed_precondition' || code === 'already_exists'
}

/** The answers to reads in an atomic batch, and paths that are not UTF-8, hold bytes, for which JSON has no form. */
function writeBytes(this: unknown, name: string, value: unknown): unknown {
  const given = (this as Record<string, unknown>)[name]
  return given instanceof Uint8Array ? { '~bytes': Buffer.from(given).toString('base64') } : value
}

function readBytes(_name: string, value: unknown): unknown {
  const text = (value as { '~bytes'?: unknown } | null)?.['~bytes']
  return typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : value
}

/** The first answer. @throws BlobwireError, the first refusal */
function answerOf({ outcome }: RememberedOutcome): object {
  const { response, error } = JSON.parse(outcome, readBytes) as { response?: object; error?: BlobwireErrorInit }
  if (error) throw new BlobwireError({ ...error, sent: 'processed' })
  return response as object
}

const keyForm = /^[A-Za-z0-9_-]{1,64}$/

/** @throws BlobwireError `invalid_argument` for what cannot be a key */
function checkKey(key: string): void {
  if (!keyForm.test(key)) throw invalidArgument('requestKey', 'must be 1 to 64 of [A-Za-z0-9_-]')
}

function reused(key: string): BlobwireError {
  const message = `the request key ${key} belongs to another request of this repository`
  return new BlobwireError({ reason: 'request_key_reused', message, sent: 'processed' })
}

/** A write that is being carried out. */
interface Running {
  readonly digest: string
  readonly ended: Promise<unknown>
}

/** The keyed writes of one service. */
export class RequestKeys {
  readonly #store: Store
  /** By repository and key. */
  readonly #running = new Map<string, Running>()

  constructor(store: Store) {
    this.#store = store
  }

  /**
   * The first answer to the write, or that of `effect`, which has the store remember its response together with what it
   * changes; refusals are remembered here. The effect begins before the key is looked up: it throws `KeyRemembered`, and
   * changes nothing, where its key is remembered already.
   * @throws BlobwireError
   */
  async run<Response extends object>(
    repository: string,
    write: WriteKey,
    effect: () => Promise<Response>
  ): Promise<Response> {
    checkKey(write.key)
    const place = `${repository}\n${write.key}`
    for (;;) {
      const other = this.#running.get(place)
      if (other === undefined) break
      if (other.digest !== write.digest) throw reused(write.key)
      // Its outcome is remembered, or it was a passing error and this attempt is the next one.
      await other.ended
    }
    const outcome = this.#carryOut(repository, write, effect)
    const ended = outcome.then(
      () => this.#running.delete(place),
      () => this.#running.delete(place)
    )
    this.#running.set(place, { digest: write.digest, ended })
    return outcome as Promise<Response>
  }

  /** For effects of which a store may keep the keys apart. @throws KeyRemembered */
  async throwIfRemembered(repository: string, { key }: WriteKey): Promise<void> {
    if (await this.#store.recall(repository, key)) throw new KeyRemembered(key)
  }

  /** The first answer to a write; undefined = nothing is remembered under its key. @throws BlobwireError */
  async recall(repository: string, { key, digest }: WriteKey): Promise<object | undefined> {
    const remembered = await this.#store.recall(repository, key)
    if (remembered === undefined) return undefined
    if (remembered.digest !== digest) throw reused(key)
    return answerOf(remembered)
  }

  async #carryOut(repository: string, write: WriteKey, effect: () => Promise<object>): Promise<object> {
    try {
      write.throwIfAbandoned?.()
      return await effect()
    } catch (error) {
      // Whatever is in its way now, a write that was carried out before has its first answer.
      const first = await this.recall(repository, write)
      if (first !== undefined) return first
      if (error instanceof KeyRemembered) return this.#carryOut(repository, write, effect)
      if (error instanceof BlobwireError && isStateRefusal(error)) return this.#refuse(repository, write, error)
      throw error
    }
  }

  /** Remembers a refusal, unless another server has remembered an outcome since. @throws the refusal, or the first one */
  async #refuse(repository: string, write: WriteKey, error: BlobwireError): Promise<object> {
    try {
      await this.#store.remember(repository, [keyedRefusal(write, toBlobwireError(error))])
    } catch (failure) {
      if (!(failure instanceof KeyRemembered)) throw failure
      const other = await this.recall(repository, write)
      if (other !== undefined) return other
    }
    throw error
  }
}
