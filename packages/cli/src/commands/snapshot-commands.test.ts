import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import {
  createHashMapKeyedStateBackend,
  createOperatorStateBackend,
  FileCheckpointStorage,
  type ListState,
  ListStateDescriptor,
  type MapState,
  MapStateDescriptor,
  StateTtlConfig,
  type ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../cli.ts'
import type { Terminal } from '../terminal.ts'

let directory: string
let pointer: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-cli-state-'))
  pointer = await writeCheckpoint()
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const ID = '0123456789abcdef0123456789abcdef' as OperatorId

/** @param checkpointId 5, or 6, which has changes */
async function writeCheckpoint(checkpointId = 5): Promise<string> {
  const storage = new FileCheckpointStorage(
    { directory, jobId: 'job', inlineThresholdBytes: 0 },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
  )
  const range = { start: 0, end: 15 }
  const backend = await createHashMapKeyedStateBackend(
    { keyGroupRange: range, maxParallelism: 16 },
    [],
    storage,
  )
  const ttl = new StateTtlConfig({ ttl: '1 d' })
  const visits = backend.state<ValueState<unknown>>(new ValueStateDescriptor<unknown>('visits'))
  const pages = backend.state<ListState<string>>(new ListStateDescriptor<string>('pages'))
  const seen = backend.state<MapState<string, bigint>>(
    new MapStateDescriptor<string, bigint>('seen', { ttl }),
  )
  backend.useTime({ processingTime: () => 42, watermark: () => 0, recordTimestamp: () => 0 })
  for (const key of ['ann', 'bob', 7, '7']) {
    backend.setCurrentKey(key)
    visits.update({ count: 1, last: new Date(0), key })
    pages.addAll(['a', 'b'])
    seen.put('home', 5n)
  }
  const changed = checkpointId > 5
  if (changed) {
    backend.setCurrentKey('ann')
    visits.update({ count: 2, last: new Date(0), key: 'ann' })
    backend.setCurrentKey('bob')
    visits.clear()
    backend.setCurrentKey('new')
    visits.update({ count: 1, last: new Date(0), key: 'new' })
    backend.state<ValueState<number>>(new ValueStateDescriptor<number>('fresh')).update(1)
  }
  const lists = await createOperatorStateBackend([], storage)
  lists.listState('offsets').update([{ partition: 0, offset: changed ? 20 : 10 }])
  lists.broadcastState(new MapStateDescriptor<string, number>('rules')).put('max', 3)
  const streams = storage.streams(checkpointId, 'attempt')
  const keyed = await backend.snapshot(checkpointId, streams, () => Promise.resolve())
  const operator = await lists.snapshot(checkpointId, streams)
  const state = { operatorId: ID, keyed, operator }
  const facts = { operatorId: ID, name: 'count visits', uid: 'visits-1', parallelism: 1, maxParallelism: 16 }
  return storage.complete({
    ...{ version: 1, checkpointId, jobId: 'job', jobName: 'visits', timestamp: 0 },
    operators: [{ ...facts, subtasks: [{ index: 0, state }] }],
  })
}

async function flink(...args: string[]): Promise<{ code: number | undefined; out: string[]; err: string[] }> {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    print: line => out.push(line),
    complain: line => err.push(line),
    showStatus: () => {},
    interactive: false,
  }
  return { code: await runCli(args, terminal), out, err }
}

describe('flink state', () => {
  test('ls shows operators, states, kinds and types without any user code', async () => {
    const { code, out } = await flink('state', 'ls', pointer)
    expect(code).toBe(0)
    expect(out[0]).toMatch(/^checkpoint 5 of job visits, 1970-01-01T00:00:00.000Z, [\d,]+ bytes$/)
    expect(out.slice(1).map(line => line.split(/ {2,}/))).toEqual([
      ['OPERATOR', 'STATE', 'KIND', 'ELEMENTS', 'TYPE'],
      [
        'count visits (uid visits-1)',
        'visits',
        'keyed value',
        '{ count: number; last: Date; key: string | number }',
      ],
      ['count visits (uid visits-1)', 'pages', 'keyed list', 'string'],
      ['count visits (uid visits-1)', 'seen', 'keyed map, ttl by processing-time', 'bigint'],
      [
        'count visits (uid visits-1)',
        'offsets',
        'operator split',
        '1',
        '{ partition: number; offset: number }',
      ],
      ['count visits (uid visits-1)', 'rules', 'operator broadcast', '1', '(string | number)[]'],
    ])
    const { out: json } = await flink('state', 'ls', '--json', `${pointer}/_metadata`)
    expect(JSON.parse(json.join('\n'))).toMatchObject({
      checkpointId: 5,
      states: [{ name: 'visits' }, {}, {}, {}, {}],
    })
  })

  test('get shows what a key has; keys are JSON or text', async () => {
    const get = async (...args: string[]): Promise<unknown> =>
      (await flink('state', 'get', pointer, ...args)).out
    const ann = '{"count":1,"last":"1970-01-01T00:00:00.000Z","key":"ann"}'
    expect(await get('count visits', 'visits', 'ann')).toEqual([ann])
    expect(await get(ID, 'visits', '"ann"')).toEqual([ann])
    expect(await get('count visits', 'pages', 'bob')).toEqual(['["a","b"]'])
    expect(await get('count visits', 'seen', 'bob')).toEqual(['{"mapKey":"home","time":42} {"$bigint":"5"}'])
    expect(await get('count visits', 'visits', '"7"')).toEqual([
      '{"count":1,"last":"1970-01-01T00:00:00.000Z","key":"7"}',
    ])
    expect(await get('count visits', 'pages', '7')).toHaveLength(2)
    expect(await get('visits-1', 'visits', '"ann"')).toEqual([ann])
  })

  test('get says what there is when there is nothing', async () => {
    const missing = await flink('state', 'get', pointer, 'count visits', 'visits', 'nobody')
    expect(missing.code).toBe(1)
    expect(missing.err.join()).toContain("State 'visits' of operator 'count visits'")
    const unknown = await flink('state', 'get', pointer, 'other', 'visits', 'ann')
    expect(unknown.err.join()).toContain(`Give one of: count visits (uid visits-1).`)
    const nowhere = await flink('state', 'ls', join(directory, 'job'))
    expect(nowhere.err.join()).toContain('Did you mean')
  })

  test('export writes each value as a line of JSON, to the terminal or a new file', async () => {
    const file = join(directory, 'out.jsonl')
    const { out } = await flink('state', 'export', pointer, '-o', file)
    expect(out).toEqual([`14 values written to ${file}`])
    const lines = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { state: string })
    expect(lines).toHaveLength(14)
    expect(lines).toContainEqual({
      ...{ operator: 'count visits', state: 'seen', kind: 'map', key: 7 },
      ...{ mapKey: 'home', value: { $bigint: '5' }, time: 42 },
    })
    expect(lines).toContainEqual({
      ...{ operator: 'count visits', state: 'rules', kind: 'broadcast', subtask: 0, value: ['max', 3] },
    })
    const some = await flink('state', 'export', pointer, '--state', 'pages', '--operator', 'count visits')
    expect(some.out.map(line => (JSON.parse(line) as { value: unknown }).value)).toEqual(
      new Array(4).fill(['a', 'b']),
    )
    const again = await flink('state', 'export', pointer, '-o', file)
    expect(again.code).toBe(1)
    expect(again.err.join()).toContain('EEXIST')
  })
})

test('flink state diff counts what was added, removed and changed, and names what was declared anew', async () => {
  const second = await writeCheckpoint(6)
  const { code, out } = await flink('state', 'diff', pointer, second)
  expect(code).toBe(0)
  expect(out.map(line => line.split(/ {2,}/))).toEqual([
    ['OPERATOR', 'STATE', 'ADDED', 'REMOVED', 'CHANGED', 'EQUAL', 'DECLARATION'],
    ['count visits', 'visits', '1', '1', '1', '2'],
    ['count visits', 'pages', '0', '0', '0', '4'],
    ['count visits', 'seen', '0', '0', '0', '4'],
    ['count visits', 'offsets', '1', '1', '0', '0'],
    ['count visits', 'rules', '0', '0', '0', '1'],
    ['count visits', 'fresh', '1', '0', '0', '0', 'none -> keyed value of number'],
  ])
  const { out: same } = await flink('state', 'diff', '--json', second, second)
  const differences = JSON.parse(same.join('\n')) as { added: number; changed: number; equal: number }[]
  expect(differences.every(({ added, changed, equal }) => added === 0 && changed === 0 && equal > 0)).toBe(
    true,
  )
})

describe('flink checkpoint gc', () => {
  test('removes what no complete snapshot refers to, if it is old, and nothing else', async () => {
    const job = join(directory, 'job')
    const old = new Date(Date.now() - 2 * 86_400_000)
    const unused = [
      join(job, 'chk-5', 'keyed-lost'),
      join(job, 'chk-6', 'keyed-part'),
      join(job, 'shared', 'lost'),
    ]
    await mkdir(join(job, 'chk-6'))
    for (const file of unused) {
      await writeFile(file, 'lost')
      await utimes(file, old, old)
    }
    const young = join(job, 'chk-6', 'under-way')
    const foreign = join(directory, 'notes.txt')
    for (const file of [young, foreign]) await writeFile(file, 'keep')
    await utimes(foreign, old, old)
    const stateFiles = await readdir(join(job, 'chk-5'))
    for (const name of stateFiles) await utimes(join(job, 'chk-5', name), old, old)

    const dry = await flink('checkpoint', 'gc', directory, '--dry-run')
    expect(dry.out.at(-1)).toBe('3 files with 12 bytes would be removed; 1 younger ones stay (--older-than)')
    expect(dry.out.join('\n')).toContain('its checkpoint was never completed')
    expect((await readdir(join(job, 'chk-6'))).sort()).toEqual(['keyed-part', 'under-way'])

    const done = await flink('checkpoint', 'gc', directory)
    expect(done.out.at(-1)).toBe('3 files with 12 bytes removed; 1 younger ones stay (--older-than)')
    expect((await readdir(join(job, 'chk-5'))).sort()).toEqual(
      stateFiles.filter(name => name !== 'keyed-lost').sort(),
    )
    expect(await readdir(join(job, 'chk-6'))).toEqual(['under-way'])
    expect(await readdir(join(job, 'shared'))).toEqual([])
    expect(await readFile(foreign, 'utf8')).toBe('keep')
    expect((await flink('state', 'get', pointer, 'count visits', 'pages', 'bob')).out).toEqual(['["a","b"]'])

    const all = await flink('checkpoint', 'gc', directory, '--older-than', '0')
    expect(all.out.at(-1)).toBe('1 files with 4 bytes removed')
  })

  test('touches nothing of a job with a snapshot it cannot read', async () => {
    const job = join(directory, 'job')
    await writeFile(join(job, 'chk-5', '_metadata'), 'damaged')
    const { out, err } = await flink('checkpoint', 'gc', directory, '--older-than', '0')
    expect(out.at(-1)).toBe('0 files with 0 bytes removed')
    expect(err.join()).toContain("can't be read, so nothing beside it is touched")
  })
})
