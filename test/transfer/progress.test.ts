/** Progress at a steady pace, on a fake clock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProgressMeter, type TransferProgress } from '../../src/transfer/progress.ts'
import { FakeClock } from '../support/fake-clock.ts'

test('progress is told ten times a second at most, and at the end', () => {
  const clock = new FakeClock()
  const seen: TransferProgress[] = []
  const meter = new ProgressMeter(clock, (progress) => seen.push(progress), 'upload')
  meter.expect([1000, 500])
  const file = meter.file()
  for (let at = 1; at <= 1000; at++) {
    clock.advance(1)
    file.reached(at)
  }
  file.done(1000)
  assert.equal(seen.length, 10)
  const other = meter.file()
  other.done(500)
  meter.enter('commit')
  meter.end()
  assert.deepEqual(seen.at(-1), {
    phase: 'commit',
    files: 2,
    totalFiles: 2,
    transferredBytes: 1500,
    totalBytes: 1500,
    // The 500 bytes needed no transfer.
    bytesPerSecond: 1000
  })
})

test('bytes that are sent again count once; an unknown size makes the total unknown', () => {
  const clock = new FakeClock()
  const seen: TransferProgress[] = []
  const meter = new ProgressMeter(clock, (progress) => seen.push(progress), 'upload')
  meter.expect([1000, undefined])
  const file = meter.file()
  const told = [600, 300, 700, 700].map((position) => {
    file.reached(position)
    meter.end()
    return seen.at(-1)?.transferredBytes
  })
  assert.deepEqual([told, seen.at(-1)?.totalBytes], [[600, 600, 700, 700], undefined])
})

test('the rate is that of the last seconds', () => {
  const clock = new FakeClock()
  let rate = 0
  const meter = new ProgressMeter(clock, ({ bytesPerSecond }) => (rate = bytesPerSecond), 'download')
  for (let second = 0; second < 20; second++) {
    clock.advance(1000)
    meter.add(1000, true)
  }
  assert.equal(rate, 1000)
  for (let second = 0; second < 20; second++) {
    clock.advance(1000)
    meter.add(1, true)
  }
  assert.equal(rate, 1)
})
