import { readFileSync, readlinkSync } from 'node:fs'
import type { LeaseHolder } from './lease-store.ts'

/** This process. */
export function ownHolder(): LeaseHolder {
  return { machine: machine(), pid: process.pid, started: startTicks(process.pid) ?? '' }
}

/** Whether the process is known to have ended: only of processes of this machine, on Linux. */
export function isDead(holder: LeaseHolder): boolean {
  if (holder.machine === '' || holder.started === '' || holder.machine !== machine()) return false
  return startTicks(holder.pid) !== holder.started
}

/** Boot of the machine and name space of process ids: containers have their own. */
function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    // Not Linux: then nothing is known of other processes.
    return ''
  }
}

/** When the process started, in clock ticks since boot; undefined: there is none, or it is only waited for. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
