import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isStoredList, type StoredList } from '@flink-ts/common'
import type { JobExecutionResult } from '@flink-ts/jobgraph'

/**
 * The result of a job with its large lists, which are in the blob store of the JobManager: each part is fetched, decoded
 * and forgotten before the next, so that little more than the list itself is in memory.
 * @param fetch puts a blob into a file; it repeats what may be repeated
 */
export async function withStoredLists(
  result: JobExecutionResult,
  fetch: (blobKey: string, targetFile: string) => Promise<void>,
): Promise<JobExecutionResult> {
  const entries = Object.entries(result.accumulators)
  if (!entries.some(([, value]) => isStoredList(value))) return result
  const folder = await mkdtemp(join(tmpdir(), 'flink-result-'))
  try {
    const accumulators: Record<string, unknown> = {}
    for (const [name, value] of entries) {
      accumulators[name] = isStoredList(value) ? await listOf(value, folder, fetch) : value
    }
    return { ...result, accumulators }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function listOf(
  { parts }: StoredList,
  folder: string,
  fetch: (blobKey: string, targetFile: string) => Promise<void>,
): Promise<readonly unknown[]> {
  // Few results are so large: nobody else has to wait for this to load.
  const { createValueSerializer } = await import('@flink-ts/serialization')
  const serializer = createValueSerializer()
  const list: unknown[] = []
  for (const part of parts) {
    if ('values' in part) {
      for (const value of part.values) list.push(value)
      continue
    }
    const file = join(folder, part.blobKey)
    await fetch(part.blobKey, file)
    for (const value of serializer.decode(await readFile(file)) as readonly unknown[]) list.push(value)
    await rm(file)
  }
  return list
}
