/** In the place of `retry/repeat.ts`: the loop alone, in fewer bytes. */
import type * as Replaced from '../repeat.ts'

export const repeat: typeof Replaced.repeat = async (attempt, mayRepeat) => {
  for (let number = 1; ; number++) {
    try {
      return await attempt(number)
    } catch (error) {
      if (!(await mayRepeat(error as Error))) throw error
    }
  }
}
