/** The mistakes of a configuration: all of them are told at once. */
import { BlobwireError, type FieldViolation } from '../../core/error.ts'

export class Findings {
  readonly #problems: FieldViolation[] = []
  /** Options, by the first step of their path, of which a source was told to be wrong: they are not told again. */
  readonly #wrong = new Set<string>()

  /** `option` is the path of the option itself, whatever client and source it is of. */
  add({ field, description }: FieldViolation, option?: string): void {
    this.#problems.push({ field, description })
    if (option !== undefined) this.markWrong(option)
  }

  /** Tells nothing, as the option's mistake was told under another name. */
  markWrong(option: string): void {
    this.#wrong.add(firstStep(option))
  }

  isWrong(option: string): boolean {
    return this.#wrong.has(firstStep(option))
  }

  /** @throws BlobwireError `invalid_argument` with all mistakes, where there are any */
  throwAny(): void {
    const violations = this.#problems
    if (violations.length === 0) return
    const lines = violations.map(({ field, description }) => (field === '' ? description : `${field}: ${description}`))
    const head = lines.length === 1 ? '' : `${lines.length} mistakes in the configuration:\n`
    throw new BlobwireError({ code: 'invalid_argument', message: head + lines.join('\n'), details: { violations } })
  }
}

const firstStep = (path: string) => path.split(/[.[]/)[0] ?? ''
