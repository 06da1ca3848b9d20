import type { FileOutput, FileSystem } from '../api/file-system.ts'
import type { PendingFile, RecoverableOutput, RecoverableWriter } from '../api/recoverable-writer.ts'
import { FileNotFound, PendingFileLost } from '../errors.ts'

/** For file systems that rename atomically: the file is written under its in-progress name and renamed by the commit. */
export class RenamingWriter implements RecoverableWriter {
  readonly #fileSystem: FileSystem

  constructor(dependencies: { readonly fileSystem: FileSystem }) {
    this.#fileSystem = dependencies.fileSystem
  }

  async open(inProgressUri: string, finalUri: string): Promise<RecoverableOutput> {
    const output = await this.#fileSystem.create(inProgressUri, 'create')
    return new RenamedOutput({ inProgressUri, finalUri }, { output })
  }

  async commit(file: PendingFile): Promise<void> {
    const { inProgressUri, finalUri, sizeBytes } = file
    const lost = (reason: string): Error =>
      PendingFileLost({ inProgress: inProgressUri, final: finalUri, reason })
    const unfinished = await this.#fileSystem.status(inProgressUri)
    if (unfinished !== undefined) {
      if (unfinished.sizeBytes !== sizeBytes) {
        throw lost(`it has ${unfinished.sizeBytes} bytes instead of ${sizeBytes}`)
      }
      try {
        await this.#fileSystem.rename(inProgressUri, finalUri)
        return
      } catch (error) {
        // Somebody else committed it meanwhile.
        if (!FileNotFound.is(error)) throw error
      }
    }
    const finished = await this.#fileSystem.status(finalUri)
    if (finished === undefined) throw lost('there is no such file')
    if (finished.sizeBytes !== sizeBytes) {
      throw lost(`it has ${finished.sizeBytes} bytes instead of ${sizeBytes}`)
    }
  }

  discard(inProgressUri: string): Promise<void> {
    return this.#fileSystem.delete(inProgressUri)
  }
}

class RenamedOutput implements RecoverableOutput {
  readonly #names: { readonly inProgressUri: string; readonly finalUri: string }
  readonly #output: FileOutput

  constructor(
    names: { readonly inProgressUri: string; readonly finalUri: string },
    dependencies: { readonly output: FileOutput },
  ) {
    this.#names = names
    this.#output = dependencies.output
  }

  get position(): number {
    return this.#output.position
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#output.write(bytes)
  }

  async closeForCommit(): Promise<PendingFile> {
    await this.#output.sync()
    await this.#output.close()
    return { ...this.#names, sizeBytes: this.#output.position }
  }

  abort(): Promise<void> {
    return this.#output.abort()
  }
}
