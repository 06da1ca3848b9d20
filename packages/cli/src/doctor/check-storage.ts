import { randomUUID } from 'node:crypto'
import type { FileSystem } from '@flink-ts/filesystem'
import type { Finding } from './check-configuration.ts'

const TIMEOUT_MS = 10_000

/**
 * Writes, reads and removes a small file in a folder that is not of this machine (`s3:`, `hdfs:`): rights, addresses and
 * credentials are right if that works. From here: hosts of the cluster may have others.
 */
export async function checkStorage(
  about: string,
  directory: string,
  key: string,
  fileSystemFor: (uri: string) => FileSystem,
): Promise<Finding> {
  const uri = `${directory.replace(/\/+$/, '')}/.flink-doctor-${randomUUID()}`
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
  })
  try {
    await Promise.race([limit, writeAndRemove(uri, fileSystemFor)])
    return { level: 'ok', about, text: `${directory}: a file could be written and removed from here` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const remedy = `Mend address, credentials and rights, or set ${key} to another folder.`
    return { level: 'problem', about, text: `${directory} cannot be written from here: ${reason}`, remedy }
  } finally {
    clearTimeout(timer)
  }
}

async function writeAndRemove(uri: string, fileSystemFor: (uri: string) => FileSystem): Promise<void> {
  const fileSystem = fileSystemFor(uri)
  await fileSystem.writeFile(uri, Buffer.from('flink doctor'), 'create')
  await fileSystem.delete(uri)
}
