import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { JobGraph } from '@flink-ts/jobgraph'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withUploadedFiles } from './upload-cached-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upload-cached-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const graphWith = (...paths: readonly string[]): JobGraph => {
  const cachedFiles = paths.map((path, i) => {
    return { name: `file ${i}`, uri: pathToFileURL(join(folder, path)).href, executable: i === 1 }
  })
  return { name: 'job', cachedFiles } as Partial<JobGraph> as JobGraph
}
/** Keys that tell what they stand for. */
const put = async (path: string): Promise<string> => `key of ${readFileSync(path, 'utf8')}`

test('files and folders get the keys of their content, by the paths in their folder', async () => {
  mkdirSync(join(folder, 'some folder/deep ä/empty'), { recursive: true })
  writeFileSync(join(folder, 'a.txt'), 'A')
  writeFileSync(join(folder, 'some folder/b.txt'), 'B')
  writeFileSync(join(folder, 'some folder/deep ä/c 100%.txt'), 'C')
  const { cachedFiles } = await withUploadedFiles(graphWith('a.txt', 'some folder'), put)
  expect(cachedFiles).toMatchObject([
    { name: 'file 0', executable: false, content: { type: 'file', blobKey: 'key of A' } },
    {
      name: 'file 1',
      executable: true,
      content: { type: 'folder', files: { 'b.txt': 'key of B', 'deep ä/c 100%.txt': 'key of C' } },
    },
  ])
})

test('what is not there is named', async () => {
  await expect(withUploadedFiles(graphWith('missing'), put)).rejects.toMatchObject({
    code: 'client.cached-file-not-found',
    data: { name: 'file 0' },
  })
})

test('a job without files is left as it is', async () => {
  const graph = { name: 'job' } as Partial<JobGraph> as JobGraph
  expect(await withUploadedFiles(graph, put)).toBe(graph)
})
