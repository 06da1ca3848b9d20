import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FileInput, FileOutput, FileStatus, FileSystem } from '../api/file-system.ts'
import type { RecoverableWriter } from '../api/recoverable-writer.ts'
import { toFileSystemError, WrongFileType } from '../errors.ts'
import { RenamingWriter } from '../recoverable/renaming-writer.ts'
import { uriToPath } from '../uri/uri.ts'
import { LocalFileInput } from './local-file-input.ts'
import { LocalFileOutput } from './local-file-output.ts'

/** What link() fails with where the storage has no hard links. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

/** The `file:` scheme: files of this host, or of a mount that all hosts share. Without state; any thread. */
export class LocalFileSystem implements FileSystem {
  readonly scheme = 'file'

  create(uri: string, mode: 'create' | 'overwrite'): Promise<FileOutput> {
    return attempt('create', uri, async () => {
      const path = uriToPath(uri)
      await makeFolder(dirname(path))
      const file = await fs.open(path, mode === 'create' ? 'wx' : 'w')
      return new LocalFileOutput(
        { uri },
        { file, syncFolder: () => syncFolder(dirname(path)), remove: () => fs.rm(path, { force: true }) },
      )
    })
  }

  open(uri: string): Promise<FileInput> {
    return attempt('open', uri, async () => {
      const file = await fs.open(uriToPath(uri), 'r')
      try {
        const stat = await file.stat()
        if (stat.isDirectory()) throw WrongFileType({ uri, operation: 'open', expected: 'file' })
        return new LocalFileInput({ uri, sizeBytes: stat.size }, { file })
      } catch (error) {
        await file.close()
        throw error
      }
    })
  }

  readFile(uri: string): Promise<Buffer> {
    return attempt('read', uri, () => fs.readFile(uriToPath(uri)))
  }

  /**
   * Durable when it resolves. `create` is atomic between processes: of several writers one wins, the others get
   * `filesystem.already-exists`. Where the storage has no hard links, a crash in the middle of a `create` can leave a
   * file that is cut short.
   */
  writeFile(uri: string, content: Uint8Array, mode: 'create' | 'overwrite'): Promise<void> {
    return attempt('write', uri, async () => {
      const path = uriToPath(uri)
      const folder = dirname(path)
      await makeFolder(folder)
      // Cut: a temporary name must not be too long where the real one is not.
      const temporary = join(folder, `.${basename(path).slice(0, 100)}.${randomBytes(8).toString('hex')}.tmp`)
      try {
        await writeDurably(temporary, content)
        if (mode === 'overwrite') await fs.rename(temporary, path)
        else await linkOrWrite(temporary, path, content)
      } finally {
        await fs.rm(temporary, { force: true })
      }
      await syncFolder(folder)
    })
  }

  status(uri: string): Promise<FileStatus | undefined> {
    return attempt('look at', uri, () => statusOf(uriToPath(uri)))
  }

  /** Durable when it resolves. The target's folder must exist. */
  rename(from: string, to: string): Promise<void> {
    return attempt(`rename to ${to}`, from, async () => {
      const [source, target] = [uriToPath(from), uriToPath(to)]
      await fs.rename(source, target)
      await syncFolder(dirname(target))
      if (dirname(source) !== dirname(target)) await syncFolder(dirname(source))
    })
  }

  /** Without `recursive`, a folder must be empty. */
  delete(uri: string, options: { recursive?: boolean } = {}): Promise<void> {
    return attempt('delete', uri, async () => {
      const path = uriToPath(uri)
      if (options.recursive === true) return fs.rm(path, { recursive: true, force: true })
      const stat = await ignoreMissing(fs.lstat(path))
      if (stat === undefined) return
      await ignoreMissing(stat.isDirectory() ? fs.rmdir(path) : fs.unlink(path))
    })
  }

  list(uri: string): Promise<readonly FileStatus[]> {
    return attempt('list', uri, async () => {
      const folder = uriToPath(uri)
      const names = (await ignoreMissing(fs.readdir(folder))) ?? []
      names.sort((a, b) => (a < b ? -1 : 1))
      const children: FileStatus[] = []
      for (const name of names) {
        // Files may vanish while the folder is listed.
        const status = await statusOf(join(folder, name))
        if (status !== undefined) children.push(status)
      }
      return children
    })
  }

  makeDirectory(uri: string): Promise<void> {
    return attempt('make folder', uri, async () => {
      await makeFolder(uriToPath(uri))
    })
  }

  recoverableWriter(): RecoverableWriter {
    return new RenamingWriter({ fileSystem: this })
  }
}

/**
 * Makes a folder and those above it, level by level: Node.js's own recursive call tries for ever, in a thread that all
 * file work shares, where a file system answers ENOENT below a folder that is there, as /proc does.
 */
async function makeFolder(path: string, attempts = 10): Promise<void> {
  try {
    await fs.mkdir(path)
  } catch (error) {
    const existing = await fs.stat(path).catch(() => undefined)
    if (existing?.isDirectory() === true) return
    if (existing !== undefined)
      throw Object.assign(new Error(`${path} is not a folder`, { cause: error }), { code: 'ENOTDIR' })
    // Others may make or remove folders above it meanwhile; below /proc it is ENOENT each time.
    if (!isFsError(error, 'ENOENT') || attempts === 0) throw error
    const above = dirname(path)
    if (!(await exists(above))) await makeFolder(above, attempts)
    await makeFolder(path, attempts - 1)
  }
}

async function exists(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined)) !== undefined
}

/** The file at `path` or above it that stands where a folder should be. */
async function nearestFile(path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const stat = await fs.stat(at).catch(() => undefined)
    if (stat !== undefined) return stat.isDirectory() ? undefined : at
    if (at === dirname(at)) return undefined
  }
}

function isFsError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}

async function attempt<T>(operation: string, uri: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (isFsError(error, 'ENOTDIR')) {
      const file = await nearestFile(uriToPath(uri))
      const found = file === undefined ? uri : pathToFileURL(file).href
      const what = found === uri ? operation : `${operation} ${uri} below`
      throw WrongFileType({ uri: found, operation: what, expected: 'folder' }, error)
    }
    throw toFileSystemError(error, operation, uri)
  }
}

async function statusOf(path: string): Promise<FileStatus | undefined> {
  const stat = await ignoreMissing(fs.stat(path))
  if (stat === undefined) return undefined
  return {
    uri: pathToFileURL(path).href,
    sizeBytes: stat.isDirectory() ? 0 : stat.size,
    isDirectory: stat.isDirectory(),
    modifiedAt: stat.mtimeMs,
  }
}

async function ignoreMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'wx')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function linkOrWrite(temporary: string, path: string, content: Uint8Array): Promise<void> {
  try {
    await fs.link(temporary, path)
  } catch (error) {
    if (!NO_HARD_LINKS.has(errorCode(error) ?? '')) throw error
    await writeDurably(path, content)
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows can't open folders; its file systems journal names by themselves.
  if (process.platform === 'win32') return
  const folder = await fs.open(path, 'r')
  try {
    await folder.sync()
  } catch (error) {
    // Some network file systems have no fsync for folders.
    if (errorCode(error) !== 'EINVAL' && errorCode(error) !== 'ENOTSUP') throw error
  } finally {
    await folder.close()
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
