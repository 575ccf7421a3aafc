import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureFromErrno } from '../../src/core/errno.ts'

for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ECONNREFUSED']) {
  for (const [syscall, sent] of [
    ['connect', 'never'],
    ['read', 'maybe'],
    ['write', 'maybe']
  ] as const) {
    test(`${code} of ${syscall}: sent ${sent}`, () => {
      const error = Object.assign(new Error(`${syscall} ${code}`), { code, syscall })
      const failure = failureFromErrno(error)
      assert.deepEqual([failure?.code, failure?.sent], ['unavailable', sent])
    })
  }
}
