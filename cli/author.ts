/** Who makes a commit: as the flag says, as Git's variables say, or the user of this computer. */
import { hostname, userInfo } from 'node:os'
import { UsageError } from './errors.ts'
import type { Io } from './io.ts'

/** @throws UsageError */
export function authorOf(text: string | undefined, env: Io['env']): { name: string; email: string } {
  if (text !== undefined) {
    const [, name = '', email = ''] = /^([^<>\n]+) <([^<>\n]*)>$/.exec(text) ?? []
    if (name === '') throw new UsageError(`--author ${JSON.stringify(text)}: must be such as "Ada <ada@example.org>"`)
    return { name, email }
  }
  const { username } = userInfo()
  const { GIT_AUTHOR_NAME: name = username, GIT_AUTHOR_EMAIL: email = env['EMAIL'] ?? `${username}@${hostname()}` } =
    env
  return { name, email }
}
