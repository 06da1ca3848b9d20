import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { plannedJob } from '../graph/fake-context.ts'
import {
  EmbeddedRocksDBStateBackend,
  FsStateBackend,
  HashMapStateBackend,
  MemoryStateBackend,
  RocksDBStateBackend,
} from './state-backends.ts'
import type { StreamExecutionEnvironment } from './stream-execution-environment.ts'

const stateOf = async (set: (env: StreamExecutionEnvironment) => void, client = {}) => {
  const { graph } = await plannedJob(env => {
    set(env)
    env.fromSequence(1, 2)
  }, client)
  return [graph.state, graph.checkpointing.directory]
}

test('a job says itself where its state is kept, or leaves it to the cluster', async () => {
  expect(await stateOf(() => {})).toEqual([{}, undefined])
  for (const backend of ['hashmap', new HashMapStateBackend(), new MemoryStateBackend()]) {
    expect(await stateOf(env => env.setStateBackend(backend))).toEqual([{ backend: 'hashmap' }, undefined])
  }
  expect(await stateOf(env => env.setStateBackend(new FsStateBackend('checkpoints')))).toEqual([
    { backend: 'hashmap' },
    pathToFileURL('checkpoints').href,
  ])
  expect(await stateOf(env => env.setStateBackend(new EmbeddedRocksDBStateBackend()))).toEqual([
    { backend: 'rocksdb' },
    undefined,
  ])
  expect(await stateOf(env => env.setStateBackend(new RocksDBStateBackend('checkpoints')))).toEqual([
    { backend: 'rocksdb' },
    pathToFileURL('checkpoints').href,
  ])
  const client = {
    'state.backend': 'filesystem',
    'state.backend.incremental': 'true',
    'execution.checkpointing.snapshot-compression': 'true',
  }
  expect(await stateOf(() => {}, client)).toEqual([
    { backend: 'filesystem', incremental: true, compression: 'zstd' },
    undefined,
  ])
  await expect(stateOf(env => env.setStateBackend(''))).rejects.toMatchObject({
    code: 'streaming.invalid-argument',
  })
})
