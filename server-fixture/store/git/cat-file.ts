/** Asks one long-lived git process about objects. */
import type { BlobwireError } from '../../../src/core/error.ts'
import { type CatFileAnswer, CatFileParser } from './cat-file-parser.ts'
import { damagedObject, type GitExit, gitFailure, saysDamaged } from './git-failure.ts'
import { GitProcess, type RepositoryContext } from './git-process.ts'

/** A question to cat-file: kind and size of these objects (`info`), or also their bytes (`contents`). */
export interface Question {
  readonly command: 'info' | 'contents'
  readonly oids: readonly string[]
}

interface PendingQuestion extends Question {
  readonly answers: CatFileAnswer[]
  readonly resolve: (answers: CatFileAnswer[]) => void
  readonly reject: (error: BlobwireError) => void
}

/**
 * One long-lived `git cat-file --batch-command --buffer`. Questions are pipelined and answered in order. `--buffer`
 * with a `flush` after each question lets git write thousands of answers at once; without it each one is a write of
 * its own (git-cat-file(1)).
 */
export class CatFile {
  readonly #git: GitProcess
  readonly #gitDir: string
  readonly #pending: PendingQuestion[] = []
  #ended = false

  constructor(context: RepositoryContext) {
    this.#gitDir = context.gitDir
    const parser = new CatFileParser(
      () => this.#pending[0]?.command === 'contents',
      (answer) => this.#take(answer)
    )
    this.#git = new GitProcess(context, ['cat-file', '--batch-command', '--buffer'], (chunk) => {
      if (!this.#ended) this.#parse(parser, chunk)
    })
    void this.#git.exited.then((exit) => this.#fail(exit))
  }

  /** The id of the process; undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#git.pid
  }

  /** The process has died, and answers no more. */
  get ended(): boolean {
    return this.#ended
  }

  /** Resolves when the process has exited. */
  get exited(): Promise<unknown> {
    return this.#git.exited
  }

  /** Questions without an answer yet. */
  get busy(): boolean {
    return this.#pending.length > 0
  }

  /**
   * One answer for each oid, in order.
   *
   * @param question with at least one oid, all well-formed: they go onto git's input as they are
   * @throws `data_loss`, reason `integrity`, for an object that is damaged on disk; `unavailable`, reason `git_died`,
   *   if the process died; see `gitFailure`
   */
  ask(question: Question): Promise<CatFileAnswer[]> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ ...question, answers: [], resolve, reject })
      const { command, oids } = question
      this.#git.write(`${command} ${oids.join(`\n${command} `)}\nflush\n`)
    })
  }

  /** Ends the process once it has answered everything. */
  end(): void {
    this.#git.end()
  }

  #parse(parser: CatFileParser, chunk: Buffer): void {
    try {
      parser.push(chunk)
    } catch (error) {
      this.#git.end()
      this.#fail({ status: null, signal: null, stderr: '', error: error as Error })
    }
  }

  #take(answer: CatFileAnswer): void {
    const first = this.#pending[0]
    if (!first) throw new Error('git cat-file: an answer without a question')
    first.answers.push(answer)
    if (first.answers.length < first.oids.length) return
    this.#pending.shift()
    first.resolve(first.answers)
  }

  /** If git said that an object is damaged, it died of the first question; the others may be asked again. */
  #fail(exit: GitExit): void {
    this.#ended = true
    const died = exit.status === 0 ? { ...exit, status: null, signal: 'end of input' } : exit
    const failure = gitFailure('git cat-file', died, this.#gitDir)
    for (const [index, { oids, answers, reject }] of this.#pending.splice(0).entries()) {
      if (index === 0 && failure.code === 'internal' && saysDamaged(exit)) {
        reject(damagedObject(oids[answers.length] ?? '', failure))
      } else if (index > 0 && failure.code === 'internal') {
        reject(failure.with({ reason: 'git_died', retryable: true }))
      } else reject(failure)
    }
  }
}
