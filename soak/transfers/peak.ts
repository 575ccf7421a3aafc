/** The peak of a process's memory, begun anew. Source: proc_pid_clear_refs(5). */
import { writeFileSync } from 'node:fs'

/** From now on the peak is that from now on; without effect where the system has no such file. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // The peak is then that of the whole life, and growth is told too small, or not at all.
  }
}
