/** The result of checking an object's bytes, and the names of Git for problems. Source: Git's "fsck-msgids". */
import { type BlobwireError, invalidArgument } from '../../../src/core/error.ts'
import type { ObjectKind } from '../../../src/git/oid.ts'

/** The problems that `git fsck --strict` reports, as far as the bytes of one object show them. */
const problems = {
  nulInHeader: 'a NUL byte stands in the header',
  unterminatedHeader: 'the header does not end with a newline',
  badParentSha1: "a 'parent' line has no full oid",
  missingAuthor: "there is no 'author' line behind the parents",
  multipleAuthors: "there is more than one 'author' line",
  missingCommitter: "there is no 'committer' line behind the author",
  missingNameBeforeEmail: 'an identity has no name',
  missingEmail: 'an identity has no e-mail address in < and >',
  badName: 'the name of an identity has a > in it',
  missingSpaceBeforeEmail: 'the name of an identity does not end with a space',
  badEmail: 'the e-mail address of an identity does not end with >, or has a < in it',
  missingSpaceBeforeDate: 'the e-mail address of an identity is not followed by a space',
  badDate: 'the date of an identity is not a number of seconds followed by a space',
  zeroPaddedDate: 'the date of an identity begins with 0',
  badDateOverflow: 'the date of an identity is too large',
  badTimezone: 'the time zone of an identity is not like +0000 or -0330',
  nulInCommit: 'a NUL byte stands in the message',
  badTagName: 'no ref can have the name of the tag',
  missingTaggerEntry: "there is no 'tagger' line behind the name",
  nullSha1: 'an entry has the oid of no object',
  fullPathname: 'the name of an entry has a / in it',
  emptyName: 'an entry has no name',
  hasDot: "an entry is named '.'",
  hasDotdot: "an entry is named '..'",
  hasDotgit: "a file system may read the name of an entry as '.git'",
  zeroPaddedFilemode: 'the mode of an entry begins with 0',
  badFilemode: 'the mode of an entry is not one of 100644, 100755, 120000, 40000 and 160000',
  duplicateEntries: 'a name occurs twice',
  treeNotSorted: "the entries are not in Git's order",
  largePathname: 'the name of an entry has more than 4096 bytes',
  gitmodulesSymlink: '.gitmodules is a symbolic link',
  gitmodulesBlob: '.gitmodules is no file',
  gitmodulesMissing: '.gitmodules is a submodule, and not to be read',
  gitmodulesLarge: '.gitmodules is too large to be checked',
  gitmodulesParse: 'a line of .gitmodules is malformed',
  gitmodulesName: "the name of a submodule is empty or has a '..' in it",
  gitmodulesUrl: 'the url of a submodule begins with -, or leaves the address that it is relative to',
  gitmodulesPath: 'the path of a submodule begins with -',
  gitmodulesUpdate: 'the update setting of a submodule is a command',
  gitattributesBlob: '.gitattributes is no file',
  gitattributesMissing: '.gitattributes is a submodule, and not to be read',
  gitattributesLarge: '.gitattributes is too large to be checked',
  gitattributesLineLength: 'a line of .gitattributes has more than 2047 bytes',
  gitattributesSymlink: '.gitattributes is a symbolic link',
  gitignoreSymlink: '.gitignore is a symbolic link',
  mailmapSymlink: '.mailmap is a symbolic link'
} as const

/** Git's name of a problem. */
export type ProblemId = keyof typeof problems

/** An object that another one names, with the kind that it must have. */
export interface NamedObject {
  readonly oid: string
  readonly kind: ObjectKind
}

/** An object that Git can read. */
export interface CheckedObject {
  readonly problems: readonly ProblemId[]
  /** The objects that it names, without the commits of submodules, which are in other repositories. */
  readonly named: readonly NamedObject[]
  /** The files of a tree that Git reads itself, whose contents are to be checked, too. */
  readonly dotFiles?: readonly DotFile[]
}

/** A file that Git reads itself. */
export interface DotFile {
  readonly name: 'gitmodules' | 'gitattributes'
  readonly oid: string
}

/** A problem in words. */
export function describeProblem(id: ProblemId): { id: ProblemId; message: string } {
  return { id, message: problems[id] }
}

/** The error of bytes that Git cannot read as an object of this kind. */
export function unreadable(kind: ObjectKind, expected: string): BlobwireError {
  return invalidArgument('content', `Git cannot read the bytes as a ${kind}: ${expected}`)
}
