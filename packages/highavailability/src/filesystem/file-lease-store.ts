import { FileAlreadyExists, FileNotFound, type FileSystem, joinUri } from '@flink-ts/filesystem'
import { CorruptLease } from '../errors.ts'
import type { LeaseRecord, LeaseStore } from '../leader/lease-store.ts'

const VERSION = 1
const FIELDS = ['epoch', 'beat', 'released', 'leaderSessionId', 'address', 'holder'] as const
const NAME = /\/epoch-(\d{12})$/

/**
 * A lease as files `epoch-<n>`, one for each epoch: created at most once, which is what makes an epoch belong to one
 * process, then written again by that process alone. Without state of its own; any thread.
 */
export class FileLeaseStore implements LeaseStore {
  readonly where: string
  readonly #fileSystem: FileSystem

  /** @param options folder: URI; made if absent */
  constructor(options: { readonly folder: string }, dependencies: { readonly fileSystem: FileSystem }) {
    this.where = options.folder
    this.#fileSystem = dependencies.fileSystem
  }

  async read(): Promise<LeaseRecord | undefined> {
    for (;;) {
      const epoch = await this.highest()
      if (epoch === 0) return undefined
      try {
        return decode(this.#uri(epoch), await this.#fileSystem.readFile(this.#uri(epoch)))
      } catch (error) {
        // A later leader has removed it since it was listed: then there is a higher one.
        if (!FileNotFound.is(error) || (await this.highest()) === epoch) throw error
      }
    }
  }

  async claim(record: LeaseRecord): Promise<boolean> {
    try {
      await this.#fileSystem.writeFile(this.#uri(record.epoch), encode(record), 'create')
      return true
    } catch (error) {
      if (FileAlreadyExists.is(error)) return false
      throw error
    }
  }

  async renew(record: LeaseRecord): Promise<void> {
    await this.#fileSystem.writeFile(this.#uri(record.epoch), encode(record), 'overwrite')
  }

  async highest(): Promise<number> {
    const epochs = (await this.#fileSystem.list(this.where)).map(({ uri }) => epochOf(uri))
    return Math.max(0, ...epochs)
  }

  async forgetBefore(epoch: number): Promise<void> {
    for (const { uri } of await this.#fileSystem.list(this.where)) {
      const of = epochOf(uri)
      if (of > 0 && of < epoch) await this.#fileSystem.delete(uri)
    }
  }

  #uri(epoch: number): string {
    return joinUri(this.where, `epoch-${String(epoch).padStart(12, '0')}`)
  }
}

function epochOf(uri: string): number {
  return Number(NAME.exec(uri)?.[1] ?? 0)
}

function encode(record: LeaseRecord): Buffer {
  return Buffer.from(`${JSON.stringify({ version: VERSION, ...record }, null, 2)}\n`)
}

function decode(where: string, content: Buffer): LeaseRecord {
  let record: (LeaseRecord & { readonly version: number }) | null
  try {
    record = JSON.parse(content.toString('utf8')) as typeof record
  } catch (error) {
    throw CorruptLease({ where, reason: content.length === 0 ? 'it is empty' : 'it is no JSON' }, error)
  }
  if (record === null || typeof record !== 'object') throw CorruptLease({ where, reason: 'it is no record' })
  const { version } = record
  if (version !== VERSION)
    throw CorruptLease({ where, reason: `its version is ${version}, known is ${VERSION}` })
  const missing = FIELDS.filter(field => record[field] === undefined)
  if (missing.length > 0) throw CorruptLease({ where, reason: `it has no ${missing.join(', ')}` })
  return record
}
