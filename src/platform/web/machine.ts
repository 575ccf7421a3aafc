/** `MachineFunctions` of platform.ts: a page does not know the machine that it is on. */
export function machineMark(): string {
  return ''
}
