/** The objects that an object names, which must be there before it is stored. */
import { parseCommit } from '../../../src/git/commit.ts'
import { kindOfMode } from '../../../src/git/mode.ts'
import type { ObjectFormat, ObjectKind } from '../../../src/git/oid.ts'
import { parseTag } from '../../../src/git/tag.ts'
import { parseTree } from '../../../src/git/tree.ts'

/** An object that another one names, with the kind that it must have. */
export interface NamedObject {
  readonly oid: string
  readonly kind: ObjectKind
}

/**
 * The objects that an object names; the commits of submodules are in other repositories.
 * @throws BlobwireError `data_loss`, reason `integrity`, for bytes that Git cannot read
 */
export function namedObjects(kind: ObjectKind, content: Uint8Array, format: ObjectFormat): NamedObject[] {
  switch (kind) {
    case 'blob':
      return []
    case 'tree':
      return parseTree(content, format)
        .filter(({ mode }) => mode !== '160000')
        .map(({ mode, oid }) => ({ oid, kind: kindOfMode(mode) }))
    case 'commit': {
      const { tree, parents } = parseCommit(content)
      return [{ oid: tree, kind: 'tree' }, ...parents.map((oid) => ({ oid, kind: 'commit' as const }))]
    }
    case 'tag': {
      const { object, kind: tagged } = parseTag(content)
      return [{ oid: object, kind: tagged }]
    }
  }
}
