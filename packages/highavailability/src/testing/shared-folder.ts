import { FileAlreadyExists, FileNotFound, type FileStatus, type FileSystem } from '@flink-ts/filesystem'

/** How long a process waits before and after an operation takes effect. */
export type Wait = () => Promise<void>

/**
 * For tests: files in memory that several processes see. Each operation takes effect at one moment between its call and
 * its answer, and `wait` says when each of the two comes.
 */
export class SharedFolder {
  readonly files = new Map<string, Buffer>()

  /** The files as one process sees them. */
  seenBy(wait: Wait): FileSystem {
    const { files } = this
    const step = async <T>(effect: () => T): Promise<T> => {
      await wait()
      const result = attempt(effect)
      await wait()
      if (result.error !== undefined) throw result.error
      return result.value as T
    }
    const seen: Pick<FileSystem, 'scheme' | 'readFile' | 'writeFile' | 'status' | 'delete' | 'list'> = {
      scheme: 'memory',
      readFile: uri =>
        step(() => {
          const content = files.get(uri)
          if (content === undefined) throw FileNotFound({ uri, operation: 'read' })
          return content
        }),
      writeFile: (uri, content, mode) =>
        step(() => {
          if (mode === 'create' && files.has(uri)) throw FileAlreadyExists({ uri, operation: 'write' })
          files.set(uri, Buffer.from(content))
        }),
      status: uri => step(() => (files.has(uri) ? statusOf(uri, false) : undefined)),
      delete: uri =>
        step(() => {
          for (const path of [...files.keys()])
            if (path === uri || path.startsWith(`${uri}/`)) files.delete(path)
        }),
      list: uri =>
        step(() => {
          const children = new Map<string, FileStatus>()
          for (const path of files.keys()) {
            if (!path.startsWith(`${uri}/`)) continue
            const [name, ...deeper] = path.slice(uri.length + 1).split('/')
            const child = `${uri}/${name}`
            children.set(child, statusOf(child, deeper.length > 0))
          }
          return [...children.values()].sort((a, b) => (a.uri < b.uri ? -1 : 1))
        }),
    }
    return seen as FileSystem
  }
}

function statusOf(uri: string, isDirectory: boolean): FileStatus {
  return { uri, sizeBytes: 0, isDirectory, modifiedAt: 0 }
}

function attempt<T>(effect: () => T): { readonly value?: T; readonly error?: unknown } {
  try {
    return { value: effect() }
  } catch (error) {
    return { error }
  }
}
