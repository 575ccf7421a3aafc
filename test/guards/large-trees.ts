/** Guards of `readFiles` and `checkout`: what is read, what is written, and where nothing is. */
import type { Guard } from './guard.ts'

const checkout = 'test/files/checkout.test.ts'
const reading = 'test/files/read-files.test.ts'
const archives = 'test/files/archive.test.ts'
const directories = 'test/platform/directories.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a checkout opens no link as a directory',
    file: 'src/platform/directories.ts',
    from: 'return OpenDirectory.at(path, onlyDirectory | noFollow)',
    to: 'return OpenDirectory.at(path, onlyDirectory)',
    tests: [directories, checkout]
  },
  {
    name: 'a directory that is open is used by its descriptor',
    file: 'src/platform/directories.ts',
    from: 'if (hasDescriptors()) return OpenDirectory.at(path',
    to: 'if (!hasDescriptors()) return OpenDirectory.at(path',
    tests: [directories]
  },
  {
    name: 'what was written of a file that failed is removed',
    file: 'src/platform/directories.ts',
    from: 'await fs.unlink(path).catch(() => undefined)',
    to: '',
    tests: [directories]
  },
  {
    name: 'a checkout refuses names that a file system may read as .git',
    file: 'src/client/files/wanted-tree.ts',
    from: 'if (isDotGit(textForRules(name))) return',
    to: 'if (name === "") return',
    tests: [checkout]
  },
  {
    name: 'a checkout refuses names that stand twice in a tree',
    file: 'src/client/files/wanted-tree.ts',
    from: 'if (directory.files.has(name)) problems',
    to: 'if (name === "") problems',
    tests: [checkout]
  },
  {
    name: 'a checkout finds names that the file system holds equal',
    file: 'src/client/files/wanted-tree.ts',
    from: 'if (other === undefined || other === name) continue',
    to: 'if (other !== "") continue',
    tests: [checkout]
  },
  {
    name: 'a checkout without remove refuses what is in the way',
    file: 'src/client/files/compare-files.ts',
    from: 'if (this.#options.remove) this.#remove(directory, item)',
    to: 'if (true) this.#remove(directory, item)',
    tests: [checkout]
  },
  {
    name: 'a checkout without remove leaves what the tree does not have',
    file: 'src/client/files/compare-files.ts',
    from: '    if (!this.#options.remove) return\n',
    to: '',
    tests: [checkout]
  },
  {
    name: 'a checkout removes no .git below a directory that it removes',
    file: 'src/client/files/write-files.ts',
    from: 'if (isDotGit(textForRules(name))) return false',
    to: 'if (name === "") return false',
    tests: [checkout]
  },
  {
    name: 'a checkout leaves files that are right',
    file: 'src/client/files/compare-files.ts',
    from: 'if (digest !== entry.oid) toWrite.push(entry)',
    to: 'if (digest !== "") toWrite.push(entry)',
    tests: [checkout]
  },
  {
    name: 'a checkout sets the permission of files whose content is right',
    file: 'src/client/files/compare-files.ts',
    from: "else if (isExecutable === (entry.mode === '100755')) this",
    to: 'else if (true) this',
    tests: [checkout]
  },
  {
    name: 'a checkout waits for the files that are being written before it fails',
    file: 'src/client/files/write-files.ts',
    from: '      await writes.ended\n',
    to: '',
    tests: [checkout]
  },
  {
    name: 'readFiles gives large files as streams',
    file: 'src/client/files/content-reader.ts',
    from: 'if (size !== undefined) return this.#keep(index, { size })',
    to: '',
    tests: [reading]
  },
  {
    name: 'readFiles leaves out submodules',
    file: 'src/client/files/read-files.ts',
    from: "({ mode }) => mode !== '160000'",
    to: '() => true',
    tests: [reading]
  },
  {
    name: 'an archive has the bytes of names that are not UTF-8',
    file: 'src/client/files/tar.ts',
    from: 'if (!isExact) putBytes(blocks, name, linkname)',
    to: '',
    tests: [archives]
  },
  {
    name: 'an archive has the directories of its files',
    file: 'src/client/files/archive.ts',
    from: "        yield { path: directory, mode: '040000', open: none }\n",
    to: '',
    tests: [archives]
  },
  {
    name: 'a zip archive refuses names that it cannot hold',
    file: 'src/client/files/archive.ts',
    from: "if (format !== 'zip') return undefined",
    to: 'return undefined',
    tests: [archives]
  }
]
