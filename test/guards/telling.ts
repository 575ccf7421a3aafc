/** Guards of errors: what they name, the caller's line in their stacks, and the sentences that mend mistakes. */
import type { Guard } from './guard.ts'

const lines = ['test/client/caller-lines.test.ts']
const mistakes = ['test/client/mistakes.test.ts']
const callArguments = ['test/client/mistaken-arguments.test.ts']
const reports = ['test/core/error.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a failure waits until V8 sees who waits for the call',
    file: 'src/call/caller.ts',
    from: '  await undefined\n  await undefined\n',
    to: '',
    tests: lines
  },
  {
    name: "the caller's frames replace those of the client",
    file: 'src/call/caller.ts',
    from: "if (frames !== '' && !keepsFrames) return error.withFrames({ method, endpoint }, frames)",
    to: 'if (frames) return error.with({ method, endpoint })',
    tests: lines
  },
  {
    name: 'an error of the application keeps its class',
    file: 'src/call/caller.ts',
    from: 'if (error.constructor === BlobwireError) {',
    to: 'if (error) {',
    tests: lines
  },
  {
    name: 'an error that is thrown again has the line of its last caller alone',
    file: 'src/call/caller.ts',
    from: 'ownFrames.get(error) ?? framesOf(error)',
    to: 'framesOf(error)',
    tests: lines
  },
  {
    name: 'the errors of a batch that passed interceptors have the line of the caller',
    file: 'src/client/calls.ts',
    from: "return name === 'batch' ? (this.#atCaller",
    to: "return name === '' ? (this.#atCaller",
    tests: lines
  },
  {
    name: 'an endpoint is named by calls that were under way',
    file: 'src/retry/attempt.ts',
    from: "{ sent: 'maybe', attempts: 1 }), transport, endpoint }",
    to: "{ sent: 'maybe', attempts: 1 }), transport }",
    tests: ['test/call/pipeline.test.ts']
  },
  {
    name: 'fields of changes are named by path',
    file: 'src/call/running-call.ts',
    from: 'inCallersWords(failed(error, method), request)',
    to: 'failed(error, method)',
    tests: callArguments
  },
  {
    name: 'AbortSignal.timeout is a deadline',
    file: 'src/core/error.ts',
    from: "?.name === 'TimeoutError'",
    to: "?.name === 'None'",
    tests: ['test/client/capabilities.test.ts']
  },
  {
    name: 'a signal that timed out ends a wait for a shared answer',
    file: 'src/client/call-invoker.ts',
    from: ' || signal?.aborted || remaining()',
    to: ' || remaining()',
    tests: ['test/client/capabilities.test.ts'],
    mayHang: true
  },
  {
    name: 'messages do not repeat method and endpoint',
    file: 'src/core/error.ts',
    from: "prefix !== '' && message.startsWith(prefix)",
    to: 'false',
    tests: reports
  },
  {
    name: 'stacks are in JSON only where they are asked for',
    file: 'src/core/error-report.ts',
    from: 'if (asksForStack && error.stack',
    to: 'if (error.stack',
    tests: reports
  },
  {
    name: 'a gRPC address that servers print is one',
    file: 'src/client/transport-factory.ts',
    from: "error.is('no_http_form')",
    to: 'false',
    tests: mistakes
  },
  {
    name: 'a connection that closes without a word may expect TLS',
    file: 'src/connection/http2/http1-probe.ts',
    from: 'if (!closings.has(code)) return error',
    to: 'if (code) return error',
    tests: mistakes
  },
  {
    name: 'messages of grpc-js lose their decoration',
    file: 'src/core/advice.ts',
    from: 'const [, inner = message] = grpcJs.exec(message) ?? []',
    to: 'const inner = message',
    tests: mistakes
  },
  {
    name: 'contents do not show in messages',
    file: 'src/client/content-problem.ts',
    from: "!== '[object Object]') return show(value)",
    to: "!== '') return show(value)",
    tests: callArguments
  },
  {
    name: 'an interceptor that forgets to return is named',
    file: 'src/call/interceptor.ts',
    from: 'if (result === undefined || result === null)',
    to: 'if (false)',
    tests: ['test/client/interceptors.test.ts']
  },
  {
    name: 'an interceptor that calls next without the call is named',
    file: 'src/call/interceptor.ts',
    from: 'if (!changed)',
    to: 'if (false)',
    tests: ['test/client/interceptors.test.ts']
  },
  {
    name: 'an empty revision does not read HEAD',
    file: 'src/client/take.ts',
    from: "if (value === '') throw new FieldProblem(rule)",
    to: '',
    tests: callArguments
  },
  {
    name: 'an option among the input is told where it goes',
    file: 'src/client/call-shapes.ts',
    from: 'if (!isOption) throw',
    to: 'throw',
    tests: callArguments
  },
  {
    name: 'bytes that are not UTF-8 are in no suggestion of a path',
    file: 'src/git/path.ts',
    from: " || meant.includes('\\uffff')",
    to: '',
    tests: callArguments
  },
  {
    name: 'a ref that no one can make is not suggested',
    file: 'src/git/ref-name.ts',
    from: "!name.includes('\\ufffd') && refNameProblem(`refs/heads/${name}`) === undefined",
    to: "name !== ''",
    tests: callArguments
  },
  {
    name: 'a tag that cannot be signed is refused before the application is asked',
    file: 'src/client/signed-objects.ts',
    from: '  checkTagToSign(unsigned)\n  const content = signedTag(unsigned, await ask(context, { sign, unsigned, remaining }))',
    to: '  const signature = await ask(context, { sign, unsigned, remaining })\n  checkTagToSign(unsigned)\n  const content = signedTag(unsigned, signature)',
    tests: ['test/client/signing.test.ts']
  },
  {
    name: 'functions that compute oids name themselves',
    file: 'src/client/offline.ts',
    from: 'error.with({ method }) : error',
    to: 'error : error',
    tests: ['test/client/offline.test.ts']
  },
  {
    name: 'the time until a probe is a whole number',
    file: 'src/balance/picker.ts',
    from: 'Math.ceil(Math.min(...this.channels',
    to: '(Math.min(...this.channels',
    tests: ['test/balance/circuit-breaker.test.ts']
  }
]
