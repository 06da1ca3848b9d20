import type { FileInput, FileOutput, FileStatus, FileSystem } from '../api/file-system.ts'
import type { RecoverableWriter } from '../api/recoverable-writer.ts'
import { FileIoFailed, FileNotFound, WrongFileType } from '../errors.ts'
import { S3FileInput } from './s3-file-input.ts'
import { S3FileOutput } from './s3-file-output.ts'
import { childUri, locationOf, type S3Location } from './s3-location.ts'
import { S3RecoverableWriter } from './s3-recoverable-writer.ts'
import type { S3Purpose, S3Store } from './s3-store.ts'
import { S3Upload } from './s3-upload.ts'

/**
 * The `s3:` scheme. Keys are paths; a folder is there while something is below it, or an empty object `<key>/`. Objects
 * come into being whole, `create` by a conditional write. Any thread; requests may overlap.
 */
export class S3FileSystem implements FileSystem {
  readonly scheme: string
  readonly #partSizeBytes: number
  readonly #concurrentUploads: number
  readonly #keysPerRequest: number
  readonly #store: S3Store

  constructor(
    options: {
      readonly scheme: string
      readonly partSizeBytes: number
      readonly concurrentUploads: number
      /** How many keys a request lists or deletes, at most 1,000. */
      readonly keysPerRequest: number
    },
    dependencies: { readonly store: S3Store },
  ) {
    this.scheme = options.scheme
    this.#partSizeBytes = options.partSizeBytes
    this.#concurrentUploads = options.concurrentUploads
    this.#keysPerRequest = options.keysPerRequest
    this.#store = dependencies.store
  }

  async create(uri: string, mode: 'create' | 'overwrite'): Promise<FileOutput> {
    const location = objectAt(uri, 'create')
    const purpose = { uri, operation: 'write' }
    const upload = new S3Upload(
      { location, purpose, partSizeBytes: this.#partSizeBytes, concurrent: this.#concurrentUploads },
      { store: this.#store },
    )
    return new S3FileOutput({ location, purpose, mode }, { store: this.#store, upload })
  }

  async open(uri: string): Promise<FileInput> {
    const purpose = { uri, operation: 'open' }
    const location = locationOf(uri)
    const object = location.key === '' ? undefined : await this.#store.head(location, purpose)
    if (object === undefined) throw await this.#notAFile(location, purpose)
    return new S3FileInput({ location, uri, object }, { store: this.#store })
  }

  async readFile(uri: string): Promise<Buffer> {
    const purpose = { uri, operation: 'read' }
    const location = locationOf(uri)
    if (location.key === '') throw await this.#notAFile(location, purpose)
    try {
      return await this.#store.get(location, purpose)
    } catch (error) {
      throw FileNotFound.is(error) ? await this.#notAFile(location, purpose) : error
    }
  }

  async writeFile(uri: string, content: Uint8Array, mode: 'create' | 'overwrite'): Promise<void> {
    await this.#store.put(objectAt(uri, 'write'), content, mode, { uri, operation: 'write' })
  }

  async status(uri: string): Promise<FileStatus | undefined> {
    const purpose = { uri, operation: 'look at' }
    const location = locationOf(uri)
    const object = location.key === '' ? undefined : await this.#store.head(location, purpose)
    if (object !== undefined) {
      return { uri, sizeBytes: object.sizeBytes, isDirectory: false, modifiedAt: object.modifiedAt }
    }
    // Asked for the bucket itself, too: it may not be there.
    const isDirectory = (await this.#isFolder(location, purpose)) || location.key === ''
    return isDirectory ? { uri, sizeBytes: 0, isDirectory: true, modifiedAt: 0 } : undefined
  }

  /** Copies, then removes the source; a crash between leaves both. Files only. */
  async rename(from: string, to: string): Promise<void> {
    const purpose = { uri: from, operation: `rename to ${to}` }
    const [source, target] = [objectAt(from, purpose.operation), objectAt(to, purpose.operation)]
    const object = await this.#store.head(source, purpose)
    if (object === undefined) throw await this.#notAFile(source, purpose)
    if (from === to) return
    await this.#store.copy(source, target, object.sizeBytes, purpose)
    await this.#store.delete(source, purpose)
  }

  /** With `recursive` also uploads to keys below that nobody has completed. */
  async delete(uri: string, options: { recursive?: boolean } = {}): Promise<void> {
    const purpose = { uri, operation: 'delete' }
    const location = locationOf(uri)
    const prefix = prefixOf(location)
    if (options.recursive === true) {
      await this.#deleteBelow(location.bucket, prefix, purpose)
    } else {
      const below = await this.#keysBelow(location, 2, purpose)
      if (below.some(key => key !== prefix)) {
        const hint = 'Remove its content first, or delete it recursively.'
        throw FileIoFailed({ ...purpose, reason: 'the folder is not empty', hint })
      }
      if (below.length > 0) await this.#store.delete({ ...location, key: prefix }, purpose)
    }
    if (location.key !== '') await this.#store.delete(location, purpose)
  }

  async list(uri: string): Promise<readonly FileStatus[]> {
    const purpose = { uri, operation: 'list' }
    const location = locationOf(uri)
    const prefix = prefixOf(location)
    const children = new Map<string, FileStatus>()
    let isFolder = false
    for await (const page of this.#store.list(
      location.bucket,
      prefix,
      { delimiter: '/', most: this.#keysPerRequest },
      purpose,
    )) {
      isFolder ||= page.objects.length > 0 || page.folders.length > 0
      for (const folder of page.folders) {
        const name = folder.slice(prefix.length, -1)
        // Keys such as `a//b` have no place in a tree of names.
        if (name === '') continue
        const status = { uri: childUri(uri, name), sizeBytes: 0, isDirectory: true, modifiedAt: 0 }
        if (!children.has(name)) children.set(name, status)
      }
      for (const { key, sizeBytes, modifiedAt } of page.objects) {
        const name = key.slice(prefix.length)
        if (name === '') continue
        children.set(name, { uri: childUri(uri, name), sizeBytes, isDirectory: false, modifiedAt })
      }
    }
    if (!isFolder && location.key !== '' && (await this.#store.head(location, purpose)) !== undefined) {
      throw WrongFileType({ ...purpose, expected: 'folder' })
    }
    return [...children].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, status]) => status)
  }

  /** Puts an empty object there, so that the folder is seen. */
  async makeDirectory(uri: string): Promise<void> {
    const purpose = { uri, operation: 'make folder' }
    const location = locationOf(uri)
    if (location.key === '') return
    if ((await this.#store.head(location, purpose)) !== undefined) {
      throw WrongFileType({ ...purpose, expected: 'folder' })
    }
    await this.#store.put({ ...location, key: prefixOf(location) }, Buffer.alloc(0), 'overwrite', purpose)
  }

  recoverableWriter(): RecoverableWriter {
    return new S3RecoverableWriter(
      { partSizeBytes: this.#partSizeBytes, concurrentUploads: this.#concurrentUploads },
      { store: this.#store },
    )
  }

  async #deleteBelow(bucket: string, prefix: string, purpose: S3Purpose): Promise<void> {
    for await (const { objects } of this.#store.list(
      bucket,
      prefix,
      { most: this.#keysPerRequest },
      purpose,
    )) {
      const keys = objects.map(({ key }) => key)
      if (keys.length > 0) await this.#store.deleteAll(bucket, keys, purpose)
    }
    for (const upload of await this.#store.uploads(bucket, prefix, purpose)) {
      await this.#store.abort(upload, purpose)
    }
  }

  async #keysBelow(location: S3Location, most: number, purpose: S3Purpose): Promise<readonly string[]> {
    const pages = this.#store.list(location.bucket, prefixOf(location), { most }, purpose)
    for await (const { objects } of pages) return objects.map(({ key }) => key)
    return []
  }

  async #isFolder(location: S3Location, purpose: S3Purpose): Promise<boolean> {
    return (await this.#keysBelow(location, 1, purpose)).length > 0
  }

  /** Says why something is no file. */
  async #notAFile(location: S3Location, purpose: S3Purpose): Promise<Error> {
    const isFolder = location.key === '' || (await this.#isFolder(location, purpose))
    return isFolder ? WrongFileType({ ...purpose, expected: 'file' }) : FileNotFound(purpose)
  }
}

/** Where a file can be: not the bucket itself. */
function objectAt(uri: string, operation: string): S3Location {
  const location = locationOf(uri)
  if (location.key === '') throw WrongFileType({ uri, operation, expected: 'file' })
  return location
}

function prefixOf({ key }: S3Location): string {
  return key === '' ? '' : `${key}/`
}
