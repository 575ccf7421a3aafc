/** Defaults and ranges of the schema's scalar types, for every codec. Rules: proto3 (protobuf.dev, "Language Guide"). */
import type { Field, ScalarKind } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'

/** The integer types. */
export type IntegerKind = Exclude<ScalarKind, 'string' | 'bytes' | 'bool'>

/** The value of an absent field. */
export const defaults: Readonly<Record<ScalarKind, unknown>> = {
  string: '',
  bytes: new Uint8Array(0),
  bool: false,
  uint32: 0,
  uint64: 0,
  int32: 0,
  int64: 0
}

/** The default for a message that is read. Contents belong to the caller, who may transfer them: none is shared. */
export function defaultOf({ name, kind }: { readonly name: string; readonly kind: string }): unknown {
  return name === 'content' ? new Uint8Array(0) : defaults[kind as ScalarKind]
}

/** The least and the greatest number of each type; of 64-bit types, the safe integers of JavaScript. */
export const ranges: Readonly<Record<IntegerKind, readonly [number, number]>> = {
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
}

/** The bytes that clients send. The server keeps what it stores by itself, so they need no buffer of their own. */
const bytesOfRequests: ReadonlySet<unknown> = new Set(
  (['StoreBlobRequest', 'FileChange', 'GuardedChange', 'UploadBlobRequest'] as const)
    .flatMap((type) => messageDescriptors[type])
    .filter(({ kind }) => kind === 'bytes')
)

/** Whether the field has bytes that a client sends. */
export function isOfRequest(field: Field<string>): boolean {
  return bytesOfRequests.has(field)
}
