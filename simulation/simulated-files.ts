import { isFlinkError } from '@flink-ts/common'
import { FileAlreadyExists, FileIoFailed, FileNotFound, type FileSystem } from '@flink-ts/filesystem'
import type { SimulatedStorage } from './simulated-storage.ts'
import type { ProcessClock } from './virtual-time.ts'

/** What records of leaders and jobs need of a file system. */
type RecordFiles = Pick<FileSystem, 'readFile' | 'writeFile' | 'list' | 'delete'>

/** A folder that all processes share, as slow and as unreliable as the storage of checkpoints. */
export class SimulatedFiles {
  readonly #files = new Map<string, Buffer>()
  readonly #storage: SimulatedStorage

  constructor(storage: SimulatedStorage) {
    this.#storage = storage
  }

  /** The folder as one process sees it. */
  of(clock: ProcessClock): RecordFiles {
    const files = this.#files
    const operate = <T>(effect: () => T): Promise<T> =>
      this.#storage.operate(clock, effect).catch((error: Error) => {
        if (isFlinkError(error)) throw error
        throw FileIoFailed({
          uri: 'sim:/',
          operation: 'reach',
          reason: error.message,
          hint: 'It will come back.',
        })
      })
    return {
      readFile: uri =>
        operate(() => {
          const content = files.get(uri)
          if (content === undefined) throw FileNotFound({ uri, operation: 'read' })
          return content
        }),
      writeFile: (uri, content, mode) =>
        operate(() => {
          if (mode === 'create' && files.has(uri)) throw FileAlreadyExists({ uri, operation: 'create' })
          files.set(uri, Buffer.from(content))
        }),
      list: folder => operate(() => this.#list(folder)),
      delete: (uri, options) =>
        operate(() => {
          files.delete(uri)
          if (options?.recursive !== true) return
          for (const other of files.keys()) if (other.startsWith(`${uri}/`)) files.delete(other)
        }),
    }
  }

  #list(folder: string): Awaited<ReturnType<FileSystem['list']>> {
    const prefix = `${folder}/`
    const children = new Map<string, { readonly isDirectory: boolean; readonly sizeBytes: number }>()
    for (const [uri, { length }] of this.#files) {
      if (!uri.startsWith(prefix)) continue
      const [name = '', ...rest] = uri.slice(prefix.length).split('/')
      const isDirectory = rest.length > 0
      children.set(prefix + name, { isDirectory, sizeBytes: isDirectory ? 0 : length })
    }
    return [...children]
      .map(([uri, facts]) => ({ uri, ...facts, modifiedAt: 0 }))
      .sort((a, b) => (a.uri < b.uri ? -1 : 1))
  }
}
