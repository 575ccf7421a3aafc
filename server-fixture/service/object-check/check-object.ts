/** Checks the bytes of an object as `git fsck --strict` does, before it is stored. */
import type { ObjectFormat, ObjectKind } from '../../../src/git/oid.ts'
import type { CheckedObject } from './checked-object.ts'
import { checkCommit } from './commit.ts'
import { checkTag } from './tag.ts'
import { checkTree } from './tree.ts'

/** Every content is a blob. */
const checkedBlob: CheckedObject = { problems: [], named: [] }

const checks: Readonly<Record<ObjectKind, (content: Uint8Array, format: ObjectFormat) => CheckedObject>> = {
  blob: () => checkedBlob,
  tree: checkTree,
  commit: checkCommit,
  tag: checkTag
}

/**
 * The problems of an object, and the objects that it names.
 * @throws BlobwireError `invalid_argument` for bytes that Git cannot read
 */
export function checkObject(kind: ObjectKind, content: Uint8Array, format: ObjectFormat): CheckedObject {
  return checks[kind](content, format)
}
