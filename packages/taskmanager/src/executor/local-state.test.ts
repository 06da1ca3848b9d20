import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JobId, type Logger, ManualClock, type SlotId } from '@flink-ts/common'
import { toUri } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalState } from './local-state.ts'

const JOB = 'job' as JobId
const SLOT = 'tm_1' as SlotId
const logger = { info: () => {} } as unknown as Logger

let folder: string
let clock: ManualClock
let state: LocalState

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-local-state-'))
  clock = new ManualClock()
  state = new LocalState({ folders: ['a', 'b'].map(name => toUri(join(folder, name))) }, { clock, logger })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As a slot thread does. */
function copy(checkpointId: number, disk = 'a'): void {
  mkdirSync(join(folder, disk, JOB, `chk-${checkpointId}`), { recursive: true })
  writeFileSync(join(folder, disk, JOB, `chk-${checkpointId}`, 'keyed'), 'state')
}

function kept(disk = 'a'): readonly string[] {
  return existsSync(join(folder, disk, JOB)) ? readdirSync(join(folder, disk, JOB)) : []
}

test('slots take turns with the disks, and find copies on all', () => {
  const uris = ['a', 'b'].map(disk => toUri(join(folder, disk, JOB)))
  expect(state.of(JOB).taken('tm_0' as SlotId)).toEqual(uris)
  expect(state.of(JOB).taken('tm_1' as SlotId)).toEqual([...uris].reverse())
  expect(new LocalState({ folders: [] }, { clock, logger }).of(JOB).taken(SLOT)).toEqual([])
})

test('a checkpoint that is complete takes the place of older ones, except of those that it builds upon', async () => {
  state.of(JOB).taken(SLOT)
  for (const id of [1, 2, 3, 4]) {
    copy(id)
    copy(id, 'b')
    state.of(JOB).made({ checkpointId: id, origins: id === 3 ? [1, 3] : id === 4 ? [2, 4] : [id] })
  }
  state.of(JOB).complete(3)
  await state.close()
  // 4 is under way, and 2 has files of it.
  expect(kept()).toEqual(['chk-1', 'chk-2', 'chk-3', 'chk-4'])
  state.of(JOB).complete(4)
  await state.close()
  expect(kept()).toEqual(['chk-2', 'chk-4'])
  expect(kept('b')).toEqual(['chk-2', 'chk-4'])
})

test('copies of a checkpoint that was given up go, with it or with the next one', async () => {
  state.of(JOB).taken(SLOT)
  for (const id of [1, 2, 3]) copy(id)
  state.of(JOB).made({ checkpointId: 1, origins: [1] })
  state.of(JOB).made({ checkpointId: 2, origins: [2] })
  state.of(JOB).aborted(2)
  await state.close()
  expect(kept()).toEqual(['chk-1', 'chk-3'])
  // Nobody has acknowledged 3.
  state.of(JOB).made({ checkpointId: 4, origins: [4] })
  copy(4)
  state.of(JOB).complete(4)
  await state.close()
  expect(kept()).toEqual(['chk-4'])
})

test('everything goes when the job is over', async () => {
  state.of(JOB).taken(SLOT)
  copy(1)
  copy(1, 'b')
  state.of(JOB).over()
  state.of(JOB).left()
  await state.close()
  expect(readdirSync(join(folder, 'a'))).toEqual([])
  expect(readdirSync(join(folder, 'b'))).toEqual([])
})

test('a job that has lost its slots finds its copies if it comes back within a minute, and not later', async () => {
  state.of(JOB).taken(SLOT)
  copy(1)
  state.of(JOB).made({ checkpointId: 1, origins: [1] })
  state.of(JOB).left()
  clock.advance(59_000)
  state.of(JOB).taken(SLOT)
  clock.advance(120_000)
  expect(kept()).toEqual(['chk-1'])
  state.of(JOB).left()
  clock.advance(60_000)
  await state.close()
  expect(kept()).toEqual([])
})

test('what cannot be removed stops nothing', async () => {
  state.of(JOB).taken(SLOT)
  mkdirSync(join(folder, 'b', JOB), { recursive: true })
  writeFileSync(join(folder, 'a'), 'a file in place of the folder')
  copy(1, 'b')
  state.of(JOB).made({ checkpointId: 2, origins: [2] })
  state.of(JOB).complete(2)
  await state.close()
  expect(kept('b')).toEqual([])
})
