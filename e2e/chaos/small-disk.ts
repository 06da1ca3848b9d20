import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A file system of limited size in memory, at a folder. Mounting changes the system: only where that is allowed. */
export class SmallDisk {
  readonly #folder: string
  #filling: NodeJS.Timeout | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Whether this process may mount. */
  static isAllowed(): boolean {
    const { CI, FLINK_TEST_SYSTEM } = process.env
    return (
      process.platform === 'linux' && process.getuid?.() === 0 && (CI === 'true' || FLINK_TEST_SYSTEM === '1')
    )
  }

  /** Mounts at the folder, which must be empty. Undefined: the system refuses it, as in a container without rights. */
  static mount(folder: string, sizeMb: number): SmallDisk | undefined {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'flink-chaos', folder], {
        stdio: 'pipe',
      })
      return new SmallDisk(folder)
    } catch (error) {
      console.log(`no file system of limited size, a full disk is feigned: ${(error as Error).message}`)
      return undefined
    }
  }

  /** Takes all room, also what others give back, until {@link empty}. */
  fill(): void {
    const take = (): void => {
      for (const block of [1024 * 1024, 4096]) {
        try {
          for (;;) appendFileSync(this.#ballast, Buffer.alloc(block))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
    }
    take()
    this.#filling = setInterval(take, 50)
  }

  empty(): void {
    clearInterval(this.#filling)
    rmSync(this.#ballast, { force: true })
  }

  unmount(): void {
    this.empty()
    // Lazily: a process that was killed a moment ago may still have files open.
    execFileSync('umount', ['-l', this.#folder], { stdio: 'pipe' })
  }

  get #ballast(): string {
    return join(this.#folder, 'ballast')
  }
}
