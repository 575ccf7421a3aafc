/** The questions with which writes begin, asked together. */
import type { Store, WriteQuestions, WriteStart } from '../store/store.ts'
import { openRepository } from './repositories.ts'

/** Asks them in one round trip. @throws BlobwireError `not_found`, reason `repository` */
export async function startWrite(store: Store, repository: string, questions: WriteQuestions): Promise<WriteStart> {
  if (store.startWrite) return store.startWrite(repository, questions)
  const { refs, keys } = questions
  const [info, oids, remembered] = await Promise.all([
    openRepository(store, repository),
    refs.length > 0 ? store.readRefs(repository, refs) : [],
    Promise.all(keys.map((key) => store.recall(repository, key)))
  ])
  return { info, oids, remembered }
}
