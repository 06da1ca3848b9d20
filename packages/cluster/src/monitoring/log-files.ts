import { type FileHandle, lstat, open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LogFile } from '@flink-ts/gateways'
import { LogFileNotFound } from '../errors.ts'

/** Of one answer. */
const MOST_BYTES = 1024 ** 2
/** Current files of daemons, and older ones with their number. */
const LOG_NAME = /\.(log|out|err)(\.\d+)?$/

/**
 * The log files beside that of this process: those of other processes of this machine are among them, as in Flink. Only
 * plain files of that one folder can be read, by the names that the folder has: what is asked for never becomes part of
 * a path.
 */
export class LogFiles {
  readonly #logFile: string | undefined

  /** @param logFile of this process; undefined: it writes to standard output, and there are none */
  constructor(logFile: string | undefined) {
    this.#logFile = logFile
  }

  /** Latest first. */
  async list(): Promise<readonly LogFile[]> {
    if (this.#logFile === undefined) return []
    const folder = dirname(this.#logFile)
    const names = (await readdir(folder)).filter(name => LOG_NAME.test(name))
    const files = await Promise.all(names.map(name => this.#describe(folder, name)))
    return files.flat().sort((a, b) => b.modifiedAt - a.modifiedAt)
  }

  /** @throws cluster.log-file-not-found */
  async read(name: string, offset: number, maxBytes: number): Promise<Uint8Array> {
    const known = (await this.list()).find(file => file.name === name)
    if (known === undefined || this.#logFile === undefined) throw LogFileNotFound({ name })
    let file: FileHandle | undefined
    try {
      file = await open(join(dirname(this.#logFile), known.name), 'r')
      const sizeBytes = Math.min(maxBytes, MOST_BYTES)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(sizeBytes), 0, sizeBytes, offset)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file?.close()
    }
  }

  async #describe(folder: string, name: string): Promise<LogFile[]> {
    try {
      const stats = await lstat(join(folder, name))
      if (!stats.isFile()) return []
      return [
        {
          name,
          sizeBytes: stats.size,
          modifiedAt: Math.round(stats.mtimeMs),
          content: this.#contentOf(name),
        },
      ]
    } catch (error) {
      // Rotated away meanwhile.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  #contentOf(name: string): LogFile['content'] {
    const own = basename(this.#logFile ?? '')
    if (name === own) return 'log'
    return name === own.replace(/\.log$/, '.out') ? 'stdout' : 'other'
  }
}
