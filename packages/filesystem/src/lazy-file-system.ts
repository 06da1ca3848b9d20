import type { FileInput, FileOutput, FileStatus, FileSystem } from './api/file-system.ts'
import type { PendingFile, RecoverableOutput, RecoverableWriter } from './api/recoverable-writer.ts'

/**
 * A file system whose code is loaded by its first call: what a process does not use costs it neither memory nor time.
 * A load that failed is tried again by the next call.
 */
export class LazyFileSystem implements FileSystem {
  readonly scheme: string
  readonly #load: () => Promise<FileSystem>
  #loaded: Promise<FileSystem> | undefined

  constructor(
    options: { readonly scheme: string },
    dependencies: { readonly load: () => Promise<FileSystem> },
  ) {
    this.scheme = options.scheme
    this.#load = dependencies.load
  }

  async create(uri: string, mode: 'create' | 'overwrite'): Promise<FileOutput> {
    return (await this.#use()).create(uri, mode)
  }

  async open(uri: string): Promise<FileInput> {
    return (await this.#use()).open(uri)
  }

  async readFile(uri: string): Promise<Buffer> {
    return (await this.#use()).readFile(uri)
  }

  async writeFile(uri: string, content: Uint8Array, mode: 'create' | 'overwrite'): Promise<void> {
    return (await this.#use()).writeFile(uri, content, mode)
  }

  async status(uri: string): Promise<FileStatus | undefined> {
    return (await this.#use()).status(uri)
  }

  async rename(from: string, to: string): Promise<void> {
    return (await this.#use()).rename(from, to)
  }

  async delete(uri: string, options?: { recursive?: boolean }): Promise<void> {
    return (await this.#use()).delete(uri, options)
  }

  async list(uri: string): Promise<readonly FileStatus[]> {
    return (await this.#use()).list(uri)
  }

  async makeDirectory(uri: string): Promise<void> {
    return (await this.#use()).makeDirectory(uri)
  }

  recoverableWriter(): RecoverableWriter {
    const writer = async (): Promise<RecoverableWriter> => (await this.#use()).recoverableWriter()
    return {
      open: async (inProgressUri: string, finalUri: string): Promise<RecoverableOutput> =>
        (await writer()).open(inProgressUri, finalUri),
      commit: async (file: PendingFile): Promise<void> => (await writer()).commit(file),
      discard: async (inProgressUri: string): Promise<void> => (await writer()).discard(inProgressUri),
    }
  }

  #use(): Promise<FileSystem> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }
}
