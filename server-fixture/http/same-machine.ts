/** Whether a client runs on the machine of the server, where compression takes longer than the bytes that it saves. */
import { machineHeader } from '../../src/compression/compression.ts'
import { machineMark } from '../../src/platform/machine.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** By the mark of its machine, which no proxy or tunnel changes. */
export function isOnSameMachine(exchange: Exchange): boolean {
  const told = headerOf(exchange, machineHeader)
  return told !== undefined && told !== '' && told === machineMark()
}
