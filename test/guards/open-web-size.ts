/** Guards of the parts of the client for browsers that are smaller than those of Node. */
import type { Guard } from './guard.ts'

const tests = ['test/web/protobuf-decode.test.ts']
const file = 'src/codec/web/protobuf-decode.ts'

export const guards: readonly Guard[] = [
  {
    name: 'an unknown field of the details of an error is skipped',
    file,
    from: 'wireType === 5 ? 4 : 8',
    to: '4',
    tests
  },
  {
    name: 'details of an error that are cut off are refused',
    file,
    from: "    if (at > bytes.length) throw malformed('the message is cut off')\n",
    to: '',
    tests
  }
]
