/** Checks annotated tags. Source: Git's `parse_tag_buffer`, for the bytes that Git can read, and `fsck_tag`. */
import { type ObjectFormat, type ObjectKind, oidLength } from '../../../src/git/oid.ts'
import { type CheckedObject, type NamedObject, type ProblemId, unreadable } from './checked-object.ts'
import { headerOf, identityProblem } from './header.ts'

const form = /^object ([\da-fA-F]+)\ntype (blob|tree|commit|tag)\ntag (.*)$/s

/** Names that `git check-ref-format` refuses behind `refs/tags/`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Git forbids them
const badRefName = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\.$|\.lock(?:\/|$)|(?:^|\/)(?:\.|\/|$)/

/** @throws BlobwireError `invalid_argument` for bytes that Git cannot read as a tag */
export function checkTag(content: Uint8Array, format: ObjectFormat): CheckedObject {
  const { lines, problem } = headerOf(content)
  const [, object = '', kind, name = ''] = form.exec(lines.slice(0, 3).join('\n')) ?? []
  // Git reads no object that is shorter than one with a name, and needs the newline behind it.
  const shortest = Math.max(oidLength(format) + 24, lines.slice(0, 3).join('\n').length + 1)
  if (object.length !== oidLength(format) || kind === undefined || content.length < shortest) {
    throw unreadable('tag', `it must begin with the lines 'object' and a full ${format} oid, 'type' and a kind, 'tag'`)
  }
  const named: NamedObject[] = [{ oid: object.toLowerCase(), kind: kind as ObjectKind }]
  return { named, problems: problem ? [problem] : problemsOf(name, lines[3]) }
}

function problemsOf(name: string, next: string | undefined): ProblemId[] {
  const problems: ProblemId[] = badRefName.test(name) ? ['badTagName'] : []
  const tagger = next?.startsWith('tagger ') ? identityProblem(next.slice('tagger '.length)) : 'missingTaggerEntry'
  return tagger === undefined ? problems : [...problems, tagger]
}
