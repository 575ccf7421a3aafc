/** Guards of the platform for browsers, Deno and Bun. */
import type { Guard } from './guard.ts'

const web = 'src/platform/web'
const tests = ['test/platform/web-functions.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a byte order mark at the beginning of a text stays',
    file: `${web}/bytes.ts`,
    from: "new TextDecoder('utf-8', { ignoreBOM: true })",
    to: "new TextDecoder('utf-8')",
    tests
  },
  {
    name: 'a pair of surrogates counts as one character of four bytes',
    file: `${web}/bytes.ts`,
    from: '(text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at++',
    to: '(text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at += 0',
    tests
  },
  {
    name: 'a short text that is not ASCII is encoded as UTF-8',
    file: `${web}/bytes.ts`,
    from: '    if (unit >= 0x80) break\n',
    to: '',
    tests
  },
  {
    name: 'base64 with spaces in it is refused',
    file: `${web}/bytes.ts`,
    from: 'digits.length % 4 === 1 || !base64.test(digits)',
    to: 'digits.length % 4 === 1',
    tests
  },
  {
    name: 'a range is copied, where the bytes are a Buffer too',
    file: `${web}/bytes.ts`,
    from: 'toNative(new Uint8Array(bytes.subarray(from, to)))',
    to: 'toNative(bytes.slice(from, to))',
    tests
  },
  {
    name: 'the API returns no Buffer',
    file: `${web}/bytes.ts`,
    from: 'return isPlain ? bytes :',
    to: 'return isPlain || bytes.length > 0 ? bytes :',
    tests
  },
  {
    name: 'a small content that was read keeps no large buffer',
    file: `${web}/bytes.ts`,
    from: 'length < ownBelowBytes ? length === byteLength :',
    to: 'length < 0 ? length === byteLength :',
    tests
  },
  {
    name: 'random bytes are never given twice',
    file: `${web}/random.ts`,
    from: '    crypto.getRandomValues(pool)\n',
    to: '',
    tests
  },
  {
    name: 'a body is not inflated beyond the limit',
    file: `${web}/zlib.ts`,
    from: '    if (length <= maxBytes) continue\n',
    to: '    if (length <= maxBytes || length > 0) continue\n',
    tests
  },
  {
    name: 'a body that nobody waits for is not inflated',
    file: `${web}/zlib.ts`,
    from: "  if (!isWanted()) throw new Error('nobody waits for the content')\n",
    to: '',
    tests
  },
  {
    name: 'afterInput comes behind afterReady',
    file: `${web}/schedule.ts`,
    from: '  later(() => later(callback))',
    to: '  later(callback)',
    tests
  },
  {
    name: 'a timer alone does not keep the process running',
    file: `${web}/schedule.ts`,
    from: '  setHold(timer, false)\n',
    to: '',
    tests
  },
  {
    name: 'work keeps the process running, again and again',
    file: `${web}/process-hold.ts`,
    from: '  hasProcess = setHold(handle, true)\n',
    to: '',
    tests
  },
  {
    name: 'the process may end after the work',
    file: `${web}/process-hold.ts`,
    from: 'if (--underWay === 0 && handle !== undefined) setHold(handle, false)',
    to: 'underWay--',
    tests
  },
  {
    name: 'a histogram finds its bucket in each octave',
    file: `${web}/histogram.ts`,
    from: '    const bucket = Math.floor(value / 2 ** octave)',
    to: '    const bucket = Math.min(2 * perOctave - 1, value)',
    tests
  },
  {
    name: 'a percentile is the upper end of its bucket, and at most the maximum',
    file: `${web}/histogram.ts`,
    from: '(bucket + 1) * 2 ** octave - 1',
    to: '(bucket + 8) * 2 ** octave - 1',
    tests
  },
  {
    name: 'an archive that is not read to its end returns its source',
    file: `${web}/archives.ts`,
    from: '    await iterator.return?.()\n',
    to: '',
    tests
  },
  {
    name: 'a scope ends when its function has failed',
    file: `${web}/async-scope.ts`,
    from: '      } catch (error) {\n        end()\n',
    to: '      } catch (error) {\n',
    tests
  }
]
