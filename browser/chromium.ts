/** The browser of these tests: Chromium or Chrome. */
import { pathOf } from '../scripts/find-program.ts'

/** Undefined = there is none. */
export const executablePath =
  process.env['CHROMIUM'] ??
  ['chromium', 'chromium-browser', 'google-chrome'].map(pathOf).find((path) => path !== undefined)

export const skip =
  executablePath === undefined && 'there is no Chromium: install Debian\'s "chromium", or name it in CHROMIUM'
