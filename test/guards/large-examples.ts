/** Guards of the examples `backup-directory` and `restore`: what is sent, what is kept, and what is told. */
import type { Guard } from './guard.ts'

const programs = ['test/examples/backup.test.ts']
const races = ['test/examples/backup-races.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'backup: a later run goes on with the uploads of an earlier one',
    file: 'examples/backup/send-files.ts',
    from: 'resume: tokens.get(oid),',
    to: 'resume: undefined,',
    tests: programs
  },
  {
    name: 'backup: an upload that is complete needs no token',
    file: 'examples/backup/send-files.ts',
    from: '  tokens.delete(oid)\n',
    to: '',
    tests: programs
  },
  {
    name: 'backup: a file that changed since it was hashed is hashed again',
    file: 'examples/backup/send-files.ts',
    from: 'if (now.identity === file.identity) throw error',
    to: 'throw error',
    tests: races
  },
  {
    name: 'backup: a commit of somebody else is not overwritten',
    file: 'examples/backup/backup.ts',
    from: ', expectedHead: there.head }',
    to: ' }',
    tests: races
  },
  {
    name: 'backup: content that is not sent counts as done',
    file: 'examples/backup/backup.ts',
    from: '  progress.transferredBytes += sum(notSent)\n',
    to: '',
    tests: races
  },
  {
    name: 'backup: a branch that is equal gets no commit',
    file: 'examples/backup/backup.ts',
    from: 'if (there.head !== null && changed.length + removed.length === 0)',
    to: 'if (there.head === undefined)',
    tests: programs
  },
  {
    name: 'backup: a change of the mode is one',
    file: 'examples/backup/differences.ts',
    from: ' || entry.mode !== mode',
    to: '',
    tests: programs
  },
  {
    name: 'backup: submodules stay',
    file: 'examples/backup/differences.ts',
    from: "(entry.mode !== '160000' || isReplaced)",
    to: 'true',
    tests: programs
  },
  {
    name: 'backup: names that are not UTF-8 keep their bytes',
    file: 'examples/backup/local-tree.ts',
    from: 'isUtf8(name) ? name.toString() : new Uint8Array(name)',
    to: 'name.toString()',
    tests: programs
  },
  {
    name: 'backup: entries that no repository can have are told',
    file: 'examples/backup-directory.ts',
    from: 'return isWhole ? 0 : 3',
    to: 'return 0',
    tests: programs
  },
  {
    name: 'backup: a pattern without a slash matches at any depth',
    file: 'examples/backup/local-tree.ts',
    from: ' : `**/${pattern}`',
    to: ' : pattern',
    tests: programs
  },
  {
    name: 'restore: all names that cannot be written are listed',
    file: 'examples/restore.ts',
    from: '    tellUnwritable(error)\n',
    to: '',
    tests: programs
  },
  {
    name: 'restore: submodules that are left out are told',
    file: 'examples/restore.ts',
    from: 'return skipped.length > 0 ? 3 : 0',
    to: 'return 0',
    tests: programs
  }
]
