/** The part of `node:assert/strict` that the cases use, for browsers. */

type Expected =
  | RegExp
  | ((error: unknown) => boolean)
  | (new (
      ...values: never[]
    ) => Error)
  | Readonly<Record<string, unknown>>

class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))?.slice(0, 500) ?? String(value)
  )
}

function fail(message = 'failed'): never {
  throw new AssertionError(message)
}

function ok(value: unknown, message = `${show(value)} is not true`): asserts value {
  if (!value) fail(message)
}

function equal(actual: unknown, expected: unknown, message = ''): void {
  ok(Object.is(actual, expected), `${show(actual)} is not ${show(expected)}: ${message}`)
}

function notEqual(actual: unknown, expected: unknown): void {
  ok(!Object.is(actual, expected), `both are ${show(actual)}`)
}

function isDeepEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return left.length === right.length && left.every((byte, at) => byte === right[at])
  }
  const [own, others] = [Object.entries(left), Object.entries(right)]
  const values = right as Readonly<Record<string, unknown>>
  return own.length === others.length && own.every(([key, value]) => key in right && isDeepEqual(value, values[key]))
}

function deepEqual(actual: unknown, expected: unknown, message = ''): void {
  ok(isDeepEqual(actual, expected), `${show(actual)} is not as ${show(expected)}: ${message}`)
}

function match(text: string, pattern: RegExp): void {
  ok(pattern.test(text), `${show(text)} does not match ${pattern}`)
}

function isConstructor(expected: Expected): expected is new (...values: never[]) => Error {
  return typeof expected === 'function' && (expected === Error || expected.prototype instanceof Error)
}

function check(error: unknown, expected: Expected | undefined): void {
  if (expected === undefined) return
  if (expected instanceof RegExp) return match(String(error), expected)
  if (isConstructor(expected)) return ok(error instanceof expected, `another error: ${error}`)
  if (typeof expected === 'function') return ok(expected(error), `another error: ${error}`)
  for (const [key, value] of Object.entries(expected)) {
    const actual = (error as Readonly<Record<string, unknown>>)[key]
    if (value instanceof RegExp) match(String(actual), value)
    else deepEqual(actual, value, `${key} of ${error}`)
  }
}

function throws(work: () => unknown, expected?: Expected): void {
  let error: unknown
  try {
    work()
  } catch (exception) {
    error = exception
  }
  ok(error !== undefined, 'nothing was thrown')
  check(error, expected)
}

async function rejects(work: Promise<unknown> | (() => Promise<unknown>), expected?: Expected): Promise<void> {
  const outcome = await (typeof work === 'function' ? work() : work).then(
    () => undefined,
    (error: unknown) => ({ error })
  )
  if (outcome === undefined) fail('the promise was fulfilled')
  check(outcome.error, expected)
}

export default { deepEqual, equal, fail, match, notEqual, ok, rejects, throws }
