/** Measures the bytes that a client, alone in this process, allocates for a call: `memory-child.ts CONTENDER CALLS`. */
import v8 from 'node:v8'
import { blobwire } from '../contenders/blobwire.ts'
import { grpcUnary, undiciJson } from '../contenders/others.ts'
import { contents } from '../measure/load.ts'

const openers = {
  msgpack: () => blobwire('msgpack'),
  grpc: () => blobwire('grpc'),
  json: () => blobwire('json'),
  'grpc-js': () => grpcUnary(),
  undici: undiciJson
}
const storer = await openers[process.argv[2] as keyof typeof openers]()
const calls = Number(process.argv[3])

async function run(list: readonly Uint8Array[]): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let content = list[next++]; content !== undefined; content = list[next++]) await storer.store(content)
  }
  await Promise.all(Array.from({ length: 100 }, worker))
}

const content = contents(50)
const made = () => Array.from({ length: calls }, content)
await run(made())
// The contents belong to the application: they are made before the measurement.
const list = made()
const before = (v8.getHeapStatistics() as { total_allocated_bytes?: number }).total_allocated_bytes ?? Number.NaN
await run(list)
const after = (v8.getHeapStatistics() as { total_allocated_bytes?: number }).total_allocated_bytes ?? Number.NaN
process.stdout.write(`${(after - before) / calls}\n`)
await storer.close()
