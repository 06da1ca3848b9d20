import { randomBytes } from 'node:crypto'
import type { FileInput, FileOutput, FileStatus, FileSystem } from '../api/file-system.ts'
import type { RecoverableWriter } from '../api/recoverable-writer.ts'
import { FileAlreadyExists, FileNotFound, InvalidUri, WrongFileType } from '../errors.ts'
import { RenamingWriter } from '../recoverable/renaming-writer.ts'
import { encodeName } from '../uri/uri.ts'
import type { HdfsPurpose } from './hdfs-errors.ts'
import { HdfsFileOutput } from './hdfs-file-output.ts'
import type { HdfsStatus, WebHdfsClient } from './web-hdfs-client.ts'

/** Where a URI leads. */
interface Place {
  readonly client: WebHdfsClient
  /** With a slash at its beginning, and none at its end but for the root. */
  readonly path: string
}

/** The `hdfs:` and `webhdfs:` schemes. Any thread; requests may overlap. */
export class HdfsFileSystem implements FileSystem {
  readonly scheme: string
  readonly #clientFor: (authority: string, uri: string) => WebHdfsClient

  constructor(
    options: { readonly scheme: string },
    dependencies: {
      /** Of `host:port` or the name of a service; the same one for the same authority. */
      readonly clientFor: (authority: string, uri: string) => WebHdfsClient
    },
  ) {
    this.scheme = options.scheme
    this.#clientFor = dependencies.clientFor
  }

  /** The file is there at once, and empty. */
  async create(uri: string, mode: 'create' | 'overwrite'): Promise<FileOutput> {
    const purpose = { uri, operation: 'create' }
    const { client, path } = this.#at(uri)
    const nothing = Buffer.alloc(0)
    try {
      await client.create(path, nothing, mode === 'overwrite', purpose)
    } catch (error) {
      throw await this.#blockedBy(error, { client, path }, purpose)
    }
    return new HdfsFileOutput({ path, purpose: { uri, operation: 'write' } }, { client })
  }

  async open(uri: string): Promise<FileInput> {
    const place = this.#at(uri)
    const { length } = await this.#file(place, { uri, operation: 'open' })
    return {
      sizeBytes: length,
      read: async (offset, count) => {
        const end = Math.min(offset + count, length)
        if (end <= offset) return Buffer.alloc(0)
        return place.client.read(place.path, offset, end - offset, { uri, operation: 'read' })
      },
      // There is nothing open.
      close: () => Promise.resolve(),
    }
  }

  async readFile(uri: string): Promise<Buffer> {
    const purpose = { uri, operation: 'read' }
    const place = this.#at(uri)
    const { length } = await this.#file(place, purpose)
    return length === 0 ? Buffer.alloc(0) : place.client.read(place.path, 0, length, purpose)
  }

  /** By a temporary file and a rename. */
  async writeFile(uri: string, content: Uint8Array, mode: 'create' | 'overwrite'): Promise<void> {
    const purpose = { uri, operation: 'write' }
    const place = this.#at(uri)
    const { client, path } = place
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    const temporary = `${path.slice(0, slash)}/.${name.slice(0, 100)}.${randomBytes(8).toString('hex')}.tmp`
    try {
      await client.create(temporary, content, true, purpose)
      await client.rename(temporary, path, mode, purpose)
    } catch (error) {
      // The first error says what went wrong; what may be left is hidden and goes with its folder.
      await client.delete(temporary, false, purpose).catch(() => undefined)
      throw await this.#blockedBy(error, place, purpose)
    }
  }

  async status(uri: string): Promise<FileStatus | undefined> {
    const { client, path } = this.#at(uri)
    const status = await client.status(path, { uri, operation: 'look at' })
    return status === undefined ? undefined : toFileStatus(uri, status)
  }

  async rename(from: string, to: string): Promise<void> {
    const purpose = { uri: from, operation: `rename to ${to}` }
    const [source, target] = [this.#at(from), this.#at(to)]
    if (source.client !== target.client) {
      throw InvalidUri({ uri: to, reason: `it is in another cluster than ${from}` })
    }
    await source.client.rename(source.path, target.path, 'overwrite', purpose)
  }

  async delete(uri: string, options: { recursive?: boolean } = {}): Promise<void> {
    const { client, path } = this.#at(uri)
    await client.delete(path, options.recursive === true, { uri, operation: 'delete' })
  }

  async list(uri: string): Promise<readonly FileStatus[]> {
    const purpose = { uri, operation: 'list' }
    const { client, path } = this.#at(uri)
    const found = (await client.list(path, purpose)) ?? []
    if (found.some(({ pathSuffix }) => pathSuffix === '')) {
      throw WrongFileType({ ...purpose, expected: 'folder' })
    }
    return found
      .toSorted((a, b) => (a.pathSuffix < b.pathSuffix ? -1 : 1))
      .map(status => toFileStatus(`${uri.replace(/\/+$/, '')}/${encodeName(status.pathSuffix)}`, status))
  }

  async makeDirectory(uri: string): Promise<void> {
    const purpose = { uri, operation: 'make folder' }
    const place = this.#at(uri)
    try {
      await place.client.makeDirectory(place.path, purpose)
    } catch (error) {
      throw FileAlreadyExists.is(error) ? WrongFileType({ ...purpose, expected: 'folder' }, error) : error
    }
  }

  recoverableWriter(): RecoverableWriter {
    return new RenamingWriter({ fileSystem: this })
  }

  async #file({ client, path }: Place, purpose: HdfsPurpose): Promise<HdfsStatus> {
    const status = await client.status(path, purpose)
    if (status === undefined) throw FileNotFound(purpose)
    if (status.type === 'DIRECTORY') throw WrongFileType({ ...purpose, expected: 'file' })
    return status
  }

  /** What HDFS calls existing may be a folder. */
  async #blockedBy(error: unknown, { client, path }: Place, purpose: HdfsPurpose): Promise<unknown> {
    if (!FileAlreadyExists.is(error)) return error
    const status = await client.status(path, purpose)
    return status?.type === 'DIRECTORY' ? WrongFileType({ ...purpose, expected: 'file' }, error) : error
  }

  #at(uri: string): Place {
    const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(\/[^?#]*)?$/i.exec(uri)
    if (match === null) {
      const reason = "it is not hdfs://host:port/folder ('#' is written %23 there and '?' is written %3F)"
      throw InvalidUri({ uri, reason })
    }
    const [, authority = '', encoded = '/'] = match
    let path: string
    try {
      path = decodeURIComponent(encoded).replace(/\/+$/, '')
    } catch (error) {
      throw InvalidUri({ uri, reason: "a '%' in it is not followed by two digits: write %25" }, error)
    }
    return { client: this.#clientFor(authority, uri), path: path === '' ? '/' : path }
  }
}

function toFileStatus(uri: string, { type, length, modificationTime }: HdfsStatus): FileStatus {
  return {
    uri,
    sizeBytes: type === 'DIRECTORY' ? 0 : length,
    isDirectory: type === 'DIRECTORY',
    modifiedAt: modificationTime,
  }
}
