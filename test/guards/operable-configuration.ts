/** Guards of configurations: the table of options, sources, units, mistakes, registries. */
import type { Guard } from './guard.ts'

const configuration = ['test/client/configuration.test.ts']
const mistakes = ['test/client/configuration-mistakes.test.ts']
const registry = ['test/client/registry.test.ts']
const schema = ['test/options/schema.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a variable of a client that lacks the second _ is known',
    file: 'src/client/registry/environment.ts',
    from: '.sort((a, b) => b.length - a.length)',
    to: '',
    tests: ['test/client/configuration-mistakes.test.ts']
  },
  {
    name: 'configuration: the environment of a program counts more than a profile',
    file: 'src/client/registry/merge.ts',
    from: 'const presets = [ofProfile, environments[environmentOf(layers)].options]',
    to: 'const presets = [environments[environmentOf(layers)].options, ofProfile]',
    tests: configuration
  },
  {
    name: 'configuration: of one source, the options of a client count more than those of all',
    file: 'src/client/registry/merge.ts',
    from: '[defaults, clients.get(name) ?? {}]',
    to: '[clients.get(name) ?? {}, defaults]',
    tests: configuration
  },
  {
    name: 'configuration: the environment counts more than a file',
    file: 'src/client/registry/config.ts',
    from: 'const layers = [layer, readEnvironment(env, names.length > 0 ? names : undefined, findings)]',
    to: 'const layers = [readEnvironment(env, names.length > 0 ? names : undefined, findings), layer]',
    tests: configuration
  },
  {
    name: 'configuration: a token and its file are one option',
    file: 'src/client/registry/merge.ts',
    from: 'if (Object.hasOwn(rows, other) && !Object.hasOwn(high, other)) delete merged[other]',
    to: '',
    tests: configuration
  },
  {
    name: 'configuration: older names are the newer ones of the same source',
    file: 'src/client/registry/layer.ts',
    from: "newer['compression'] ??=",
    to: "newer['compressions'] ??=",
    tests: configuration
  },
  {
    name: 'configuration: variables that Kubernetes makes are no options',
    file: 'src/client/registry/environment.ts',
    from: 'else if (option === undefined && serviceLinks.test(variable)) continue',
    to: '',
    tests: configuration
  },
  {
    name: 'configuration: a token in a file is read anew',
    file: 'src/client/registry/merge.ts',
    from: '(await configuration.readText(path)).trim()',
    to: 'first.trim()',
    tests: configuration
  },
  {
    name: 'configuration: mistakes are told in the order of the file',
    file: 'src/client/registry/config.ts',
    from: 'problems.toSorted((one, other) => one.line - other.line)',
    to: 'problems',
    tests: mistakes
  },
  {
    name: 'configuration: secrets are refused in files',
    file: 'src/options/config-rows.ts',
    from: "else if (hasFile && row.secret && source === 'file')",
    to: 'else if (false)',
    tests: mistakes
  },
  {
    name: 'configuration: a mistake of a source is not told again of the whole',
    file: 'src/client/registry/findings.ts',
    from: 'return this.#wrong.has(firstStep(option))',
    to: 'return false',
    tests: mistakes
  },
  {
    name: 'configuration: the value of a secret text does not show',
    file: 'src/options/check.ts',
    from: "row.secret ? '' : `, not",
    to: "false ? '' : `, not",
    tests: mistakes
  },
  {
    name: 'configuration: the schema knows the least duration and size',
    file: 'scripts/options/schema.ts',
    from: 'pattern: quantityPattern(unit, row)',
    to: 'pattern: quantityPattern(unit)',
    tests: ['test/options/generated.test.ts']
  },
  {
    name: 'configuration: durations and sizes have whole numbers of known units',
    file: 'src/options/quantity.ts',
    from: '/^([0-9]{1,9})([A-Za-z]+)$/.exec(text)',
    to: '/^([0-9.]{1,12}) ?([A-Za-z]+)$/.exec(text)',
    tests: schema
  },
  {
    name: 'registry: there is one client of a name',
    file: 'src/client/registry/registry.ts',
    from: '    if (found !== undefined) return found\n',
    to: '',
    tests: registry
  },
  {
    name: 'registry: a closed one makes no clients',
    file: 'src/client/registry/registry.ts',
    from: '    this.#isClosed = true\n',
    to: '',
    tests: registry
  },
  {
    name: 'registry: its health is that of its worst client',
    file: 'src/client/registry/registry.ts',
    from: 'status: worstOf(health.map(([, { status }]) => status))',
    to: "status: 'healthy'",
    tests: registry
  },
  {
    name: 'configuration: aliases that cannot be resolved are told as a mistake',
    file: 'src/client/registry/config-file.ts',
    from: 'problems: [problemAt(1, (error as Error).message)] }',
    to: 'problems: [] }',
    tests: ['test/client/configuration-mistakes.test.ts']
  },
  {
    name: 'configuration: merge keys are read',
    file: 'src/client/registry/config-file.ts',
    from: ', merge: true }',
    to: ' }',
    tests: ['test/client/configuration.test.ts']
  },
  {
    name: 'configuration: clients that have the same variables are told',
    file: 'src/client/registry/merge.ts',
    from: '  tellSharedVariables(names, findings)\n',
    to: '',
    tests: ['test/client/configuration-mistakes.test.ts']
  }
]
