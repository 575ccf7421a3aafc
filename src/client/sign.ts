/** Asks the application for signatures. */
import type { CallOptions } from '../call/call-options.ts'
import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'
import { beginWork, endWork } from '../platform/process-hold.ts'
import { sharedAnswer } from './shared-answer.ts'

/**
 * Signs a commit or a tag: gets the object's content without a signature, and returns the armoured signature
 * (`-----BEGIN SSH SIGNATURE-----` or `-----BEGIN PGP SIGNATURE-----` and what follows), as `ssh-keygen -Y sign -n git`
 * and `gpg --detach-sign --armor` write it. It may be asked more than once for one call.
 */
export type Sign = (object: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>

/** Inputs that can be signed. */
export interface Signable {
  /**
   * Returns the signature of the commit or tag, which the client then makes itself.
   * @default none
   */
  sign?: Sign | undefined
}

/**
 * The signature, within the time limit and the signal of the call.
 * @throws BlobwireError `failed_precondition`, reason `signing`, where the function fails
 */
export function askForSignature(
  sign: Sign,
  object: Uint8Array,
  { options: { timeoutMs, signal }, clock }: { options: CallOptions & { timeoutMs: number }; clock: Clock }
): Promise<unknown> {
  const answer = new Promise((resolve) => resolve(sign(object))).catch((cause: unknown) => {
    const why = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
    throw new BlobwireError({ reason: 'signing', message: `sign() failed${why}`, cause })
  })
  // While the application signs, no request is under way that would keep the process from ending.
  beginWork()
  return sharedAnswer(answer, { timeoutMs, signal }, clock).catch(notSigned).finally(endWork)
}

/** The call ended while the application signed: what was to be signed has not been sent. */
function notSigned(error: BlobwireError): never {
  const isLate = error.code === 'deadline_exceeded' && error.cause === undefined
  throw error.with({
    sent: 'never',
    attempts: 0,
    ...(isLate && { message: 'sign() took all the time that the call had' })
  })
}
