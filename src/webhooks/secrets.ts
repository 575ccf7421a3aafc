/** Secrets and keys of webhooks, in the forms of the Standard Webhooks specification, "Signature scheme". */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify
} from 'node:crypto'
import { invalidArgument } from '../core/error.ts'

/** The bounds of a shared secret, in bytes. */
const leastSecretBytes = 24
const mostSecretBytes = 64

/** The DER forms of Ed25519 keys before their 32 bytes (RFC 8410 sections 4 and 7). */
const privateKeyForm = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicKeyForm = Buffer.from('302a300506032b6570032100', 'hex')

/** The version before each signature: `v1` = HMAC-SHA256, `v1a` = Ed25519. */
export type SignatureVersion = 'v1' | 'v1a'

/** A secret with which a sender signs. */
export interface Signer {
  /** A signature with its version, as it stands in the header. */
  sign(content: Uint8Array): string
}

/** A secret or public key with which a receiver verifies. */
export interface Verifier {
  readonly version: SignatureVersion
  /** Whether the signature is that of the content. Takes the same time wherever they differ. */
  verifies(content: Uint8Array, signature: Uint8Array): boolean
}

const decoded = (text: string): Buffer | undefined =>
  /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined

/** The bytes behind one of the prefixes. The message never shows the secret. */
function bytesOf(name: string, text: unknown, forms: Readonly<Record<string, readonly number[]>>): [string, Buffer] {
  const allowed = Object.keys(forms)
  if (typeof text === 'string') {
    const prefix = allowed.find((form) => text.startsWith(form))
    const bytes = prefix === undefined ? undefined : decoded(text.slice(prefix.length))
    const [least = 0, most = least] = forms[prefix ?? ''] ?? []
    if (prefix !== undefined && bytes !== undefined && bytes.length >= least && bytes.length <= most) {
      return [prefix, bytes]
    }
  }
  throw invalidArgument(name, `must be ${allowed.map((form) => `${form}… (${inWords[form]})`).join(' or ')}`)
}

const inWords: Readonly<Record<string, string>> = {
  whsec_: `the base64 of a shared secret of ${leastSecretBytes} to ${mostSecretBytes} bytes`,
  whsk_: 'the base64 of an Ed25519 private key of 32 bytes, or of 64 with its public key',
  whpk_: 'the base64 of an Ed25519 public key of 32 bytes'
}

/**
 * The signer of a secret: `whsec_…` (HMAC-SHA256) or `whsk_…` (Ed25519).
 * @throws BlobwireError `invalid_argument`, which names the option and not the secret
 */
export function signerOf(name: string, text: unknown): Signer {
  const [prefix, bytes] = bytesOf(name, text, { whsec_: [leastSecretBytes, mostSecretBytes], whsk_: [32, 64] })
  if (prefix === 'whsec_') {
    const key = createSecretKey(bytes)
    return { sign: (content) => `v1,${hmac(key, content).toString('base64')}` }
  }
  const key = privateKeyOf(name, bytes)
  return { sign: (content) => `v1a,${sign(null, content, key).toString('base64')}` }
}

/**
 * The verifier of a secret or public key: `whsec_…` or `whpk_…`.
 * @throws BlobwireError `invalid_argument`, which names the argument and not the secret
 */
export function verifierOf(name: string, text: unknown): Verifier {
  const [prefix, bytes] = bytesOf(name, text, { whsec_: [leastSecretBytes, mostSecretBytes], whpk_: [32] })
  if (prefix === 'whsec_') {
    const key = createSecretKey(bytes)
    return {
      version: 'v1',
      verifies(content, signature) {
        const expected = hmac(key, content)
        return signature.length === expected.length && timingSafeEqual(expected, signature)
      }
    }
  }
  const key = createPublicKey({ key: Buffer.concat([publicKeyForm, bytes]), format: 'der', type: 'spki' })
  return { version: 'v1a', verifies: (content, signature) => verify(null, content, key, signature) }
}

function hmac(key: KeyObject, content: Uint8Array): Buffer {
  return createHmac('sha256', key).update(content).digest()
}

/** 64 bytes are the seed and the public key, as libsodium keeps a private key. */
function privateKeyOf(name: string, bytes: Buffer): KeyObject {
  const seed = bytes.subarray(0, 32)
  const key = createPrivateKey({ key: Buffer.concat([privateKeyForm, seed]), format: 'der', type: 'pkcs8' })
  if (bytes.length !== 32 && (bytes.length !== 64 || !publicBytes(key).equals(bytes.subarray(32)))) {
    throw invalidArgument(name, `must be whsk_… (${inWords['whsk_']}); this public key is another one's`)
  }
  return key
}

const publicBytes = (key: KeyObject) =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(publicKeyForm.length)

/** Makes a shared secret, `whsec_…`: the sender signs with it, and the receiver verifies with it. */
export function generateWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** A pair of Ed25519 keys. */
export interface WebhookKeyPair {
  /** `whsk_…`: a secret of the sender. */
  privateKey: string
  /** `whpk_…`: for receivers, which verify with it and cannot sign. */
  publicKey: string
}

/** Makes a pair of Ed25519 keys. */
export function generateWebhookKeys(): WebhookKeyPair {
  const { privateKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(privateKeyForm.length)
  const bytes = publicBytes(privateKey)
  return {
    privateKey: `whsk_${Buffer.concat([seed, bytes]).toString('base64')}`,
    publicKey: `whpk_${bytes.toString('base64')}`
  }
}
