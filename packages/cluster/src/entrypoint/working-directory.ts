import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NoWorkingDirectory } from '../errors.ts'

const PREFIX = 'flink-ts-'
const OWNER_FILE = 'owner.json'

/**
 * The temporary folder of one process: bundles, blobs. A process that was killed leaves its folder; whoever starts
 * next below the same base removes it (DESIGN 8).
 */
export class WorkingDirectory {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /**
   * Makes the folder of this process below `base` and removes those of dead processes.
   * @param name tells it from others of the same role on this host
   * @throws cluster.no-working-directory if that is not possible
   */
  static create(base: string, role: string, name = String(process.pid)): WorkingDirectory {
    try {
      return WorkingDirectory.#create(base, `${PREFIX}${role}-${name}`)
    } catch (error) {
      throw NoWorkingDirectory(
        { base, reason: error instanceof Error ? error.message : String(error) },
        error,
      )
    }
  }

  static #create(base: string, folder: string): WorkingDirectory {
    mkdirSync(base, { recursive: true })
    removeOrphans(base)
    const path = join(base, folder)
    rmSync(path, { recursive: true, force: true }) // of an earlier process with our id
    mkdirSync(path, { mode: 0o700 }) // programs and state
    writeFileSync(
      join(path, OWNER_FILE),
      JSON.stringify({ pid: process.pid, startTicks: startTicks(process.pid) }),
    )
    return new WorkingDirectory(path)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

function removeOrphans(base: string): void {
  for (const name of readdirSync(base)) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(base, name)
    const owner = readOwner(path)
    if (owner === undefined || isAlive(owner)) continue
    try {
      rmSync(path, { recursive: true, force: true })
    } catch {
      // It belongs to another user of this host, who will remove it.
    }
  }
}

interface Owner {
  readonly pid: number
  readonly startTicks: string | undefined
}

/** Undefined while the owner has not written it yet, or if it is no folder of ours. */
function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(path, OWNER_FILE), 'utf8')) as Owner
  } catch {
    return undefined
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return owner.startTicks === undefined || owner.startTicks === startTicks(owner.pid)
}

/** When the process started, in clock ticks since boot: tells a process from a later one with the same id. Linux only. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
