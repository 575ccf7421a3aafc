/** Makes a repository of a history: git names and checks every object itself. */
import { encodePack } from '../../../server-fixture/store/git/pack-encoder.ts'
import type { History } from './objects.ts'

/** Runs git in an empty bare repository of the history's format. */
interface Git {
  run(args: readonly string[], input?: string | Uint8Array): string
}

/**
 * Writes objects, refs and HEAD with three git processes. `index-pack` computes the oids, `update-ref` looks for them.
 *
 * @param replace whether refs may be there already
 */
export async function writeHistory(
  git: Git,
  { objects, format, refs, head }: History,
  { replace = false }: { replace?: boolean } = {}
): Promise<void> {
  git.run(['index-pack', '--stdin'], Buffer.concat((await encodePack(objects, format)).pieces))
  const commands = Array.from(refs, ([name, oid]) => `${replace ? 'update' : 'create'} ${name} ${oid}\n`).join('')
  git.run(['update-ref', '--stdin'], Buffer.from(commands, 'latin1'))
  git.run(['symbolic-ref', 'HEAD', head])
}
