import { type StateLocation, writeChannelState } from '@flink-ts/state'
import { expect, test } from 'vitest'
import { restoreChannels } from './restore-channels.ts'

const source = 'a'.repeat(32) as never
const parts: Uint8Array[] = []
const output = {
  get position() {
    return parts.reduce((sum, part) => sum + part.length, 0)
  },
  write: async (bytes: Uint8Array) => void parts.push(bytes),
  close: async (): Promise<StateLocation> => ({
    type: 'inline',
    base64: Buffer.concat(parts).toString('base64'),
  }),
  discard: async () => {},
}
const read = async (location: StateLocation) =>
  Buffer.from(location.type === 'inline' ? location.base64 : '', 'base64')

test('records for an input that nothing is connected to any more are refused, and the way out is named', async () => {
  const inputs = await writeChannelState(
    { subtask: 0, parallelism: 1 },
    [{ name: { input: 1, source }, batches: [{ bytes: Buffer.from('x'), skip: 0 }] }],
    output,
  )
  const vertex = { operators: [{ operatorId: 'join', name: 'Join', nodeId: 1 }], parallelism: 1 } as never
  const deployment = { inputs: [], subtaskIndex: 0, job: { graph: { vertices: [vertex] } } } as never
  const restored = { operators: [{ operatorId: 'join' as never, keyed: [], operator: [], inputs }] }
  const restoring = restoreChannels(
    { deployment, vertex, program: undefined as never },
    restored,
    new Float64Array(1),
    { read },
  )
  await expect(restoring).rejects.toMatchObject({ code: 'taskmanager.records-without-input', retry: 'no' })
  await expect(restoring).rejects.toThrow(/input 1 of operator 'Join'.*take a savepoint/)
})
