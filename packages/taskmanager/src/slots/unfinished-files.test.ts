import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nullLogger } from '@flink-ts/common'
import { toUri } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UnfinishedFiles } from './unfinished-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-files-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function setup() {
  const files = new UnfinishedFiles({ logger: nullLogger })
  const uri = (name: string) => toUri(join(folder, name))
  for (const name of ['open', 'at-3', 'at-4', 'gone', 'of others']) writeFileSync(join(folder, name), '')
  files.note({ uris: ['open', 'at-3', 'at-4', 'gone'].map(uri), state: 'made' })
  files.note({ uris: [uri('at-3')], state: 'covered', checkpointId: 3 })
  files.note({ uris: [uri('at-4')], state: 'covered', checkpointId: 4 })
  files.note({ uris: [uri('gone')], state: 'gone' })
  return {
    files,
    left: () => ['open', 'at-3', 'at-4', 'gone', 'of others'].filter(n => existsSync(join(folder, n))),
  }
}

test('at the end of the job goes what no retained checkpoint covers, and nothing else', async () => {
  const { files, left } = setup()
  await files.removeUncovered({ retainedCheckpointId: 3 })
  expect(left()).toEqual(['at-3', 'gone', 'of others'])
  expect(files.size).toBe(0)
})

test('without a retained checkpoint everything unfinished goes', async () => {
  const { files, left } = setup()
  await files.removeUncovered({ retainedCheckpointId: null })
  expect(left()).toEqual(['gone', 'of others'])
})

test('what the attempts in this slot were restored with is no concern of an earlier one any more', async () => {
  const { files, left } = setup()
  files.restored(undefined)
  files.restored(3)
  await files.removeUncovered({ retainedCheckpointId: null })
  expect(left()).toEqual(['at-3', 'gone', 'of others'])
})

test('a file that cannot be removed does not keep the others', async () => {
  const { files, left } = setup()
  files.note({ uris: [toUri(folder)], state: 'made' })
  await files.removeUncovered({ retainedCheckpointId: 4 })
  expect(left()).toEqual(['at-3', 'at-4', 'gone', 'of others'])
})
