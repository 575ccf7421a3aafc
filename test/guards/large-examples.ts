/** Guards of the examples `backup-directory` and `restore`: what is sent, what is kept, and what is told. */
import type { Guard } from './guard.ts'

const programs = ['test/cli/import.test.ts']
const races = ['test/cli/import-races.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'import: a later run goes on with the uploads of an earlier one',
    file: 'cli/import/send-files.ts',
    from: 'resume: tokens.get(oid),',
    to: 'resume: undefined,',
    tests: programs
  },
  {
    name: 'import: an upload that is complete needs no token',
    file: 'cli/import/send-files.ts',
    from: '  tokens.delete(oid)\n',
    to: '',
    tests: programs
  },
  {
    name: 'import: a file that changed since it was hashed is hashed again',
    file: 'cli/import/send-files.ts',
    from: 'if (now.identity === file.identity) throw error',
    to: 'throw error',
    tests: races
  },
  {
    name: 'import: a commit of somebody else is not overwritten',
    file: 'cli/import/import-directory.ts',
    from: ', expectedHead: there.head }',
    to: ' }',
    tests: races
  },
  {
    name: 'import: content that is not sent counts as done',
    file: 'cli/import/import-directory.ts',
    from: '  progress.transferredBytes += sum(notSent)\n',
    to: '',
    tests: races
  },
  {
    name: 'import: a branch that is equal gets no commit',
    file: 'cli/import/import-directory.ts',
    from: 'if (there.head !== null && changed.length + removed.length === 0)',
    to: 'if (there.head === undefined)',
    tests: programs
  },
  {
    name: 'import: a change of the mode is one',
    file: 'cli/import/differences.ts',
    from: ' || entry.mode !== mode',
    to: '',
    tests: programs
  },
  {
    name: 'import: submodules stay',
    file: 'cli/import/differences.ts',
    from: "(entry.mode !== '160000' || isReplaced)",
    to: 'true',
    tests: programs
  },
  {
    name: 'import: names that are not UTF-8 keep their bytes',
    file: 'cli/import/local-tree.ts',
    from: 'isUtf8(name) ? name.toString() : new Uint8Array(name)',
    to: 'name.toString()',
    tests: programs
  },
  {
    name: 'import: entries that no repository can have are told',
    file: 'cli/commands/import.ts',
    from: 'return leftOut.length > 0 ? exitCodes.partial : exitCodes.done',
    to: 'return exitCodes.done',
    tests: programs
  },
  {
    name: 'import: a pattern without a slash matches at any depth',
    file: 'cli/import/local-tree.ts',
    from: ' : `**/${pattern}`',
    to: ' : pattern',
    tests: programs
  },
  {
    name: 'checkout: all names that cannot be written are listed',
    file: 'cli/commands/checkout.ts',
    from: '    if (!flags.json) await tellUnwritable(error, cli)\n',
    to: '',
    tests: programs
  },
  {
    name: 'checkout: submodules that are left out are told',
    file: 'cli/commands/checkout.ts',
    from: 'return result.skipped.length > 0 ? exitCodes.partial : exitCodes.done',
    to: 'return exitCodes.done',
    tests: programs
  }
]
