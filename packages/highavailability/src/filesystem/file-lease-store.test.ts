import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fileSystemFor } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileLeaseStore } from './file-lease-store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lease-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['', 'it is empty'],
  ['{"version": 1,', 'it is no JSON'],
  ['null', 'it is no record'],
  ['{"version": 9}', 'its version is 9, known is 1'],
  ['{"version": 1, "epoch": 3, "beat": 1}', 'it has no released, leaderSessionId, address, holder'],
])('a record that cannot be read is named, with what to do: %s', async (content, reason) => {
  const where = pathToFileURL(folder).href
  writeFileSync(join(folder, 'epoch-000000000003'), content)
  const store = new FileLeaseStore({ folder: where }, { fileSystem: fileSystemFor(where) })
  await expect(store.read()).rejects.toMatchObject({
    code: 'highavailability.corrupt-lease',
    message: expect.stringContaining(
      `${where}/epoch-000000000003, which says what JobManager leads, cannot be read: ${reason}. A living leader`,
    ),
  })
  expect(await store.highest()).toBe(3)
})
