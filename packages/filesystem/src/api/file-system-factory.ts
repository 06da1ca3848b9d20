import type { Configuration } from '@flink-ts/common'
import type { FileSystem } from './file-system.ts'

/** What a module of `fs.plugins` has as its default export. */
export interface FileSystemFactory {
  /** Once for each thread that uses a file of the scheme. Rejections are those of the first call. */
  create(scheme: string, configuration: Configuration): FileSystem | Promise<FileSystem>
}
