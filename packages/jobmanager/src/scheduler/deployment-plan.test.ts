import type { AllocationId, ResourceId } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { ExecutionGraph } from '../execution-graph/execution-graph.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import { planDeployment } from './deployment-plan.ts'

/** Slots of a line of `vertices` shuffles at parallelism 4. */
function planLine(vertices: number) {
  const names = Array.from({ length: vertices }, (_, i) => `v${i}`)
  const edges = names.slice(1).map((name, i) => `v${i}>${name}`)
  const graph = sampleGraph(names.map(name => `${name}*4`).join(' '), edges.join(' '))
  const executionGraph = new ExecutionGraph(graph, 'g', 0)
  for (const { key, subtaskIndex } of executionGraph.executions()) {
    executionGraph.locate(key, {
      allocationId: `slot-${subtaskIndex}` as AllocationId,
      taskManager: 'tm' as ResourceId,
      dataAddress: '127.0.0.1:1',
    })
  }
  return planDeployment(graph, 'g/0', [...executionGraph.executions()], () => undefined)
}

test('what is sent for a slot grows with its tasks, not with their square', () => {
  const sizeOf = (vertices: number): number => JSON.stringify(planLine(vertices)).length
  const [small, large] = [sizeOf(40), sizeOf(160)]
  expect(large / small).toBeLessThan(4.5)
})

test('each slot gets all its tasks with both ends of their channels', () => {
  const slots = planLine(3)
  expect(slots.map(({ tasks }) => tasks.map(task => `${task.vertexId}/${task.subtaskIndex}`))).toEqual(
    [0, 1, 2, 3].map(index => [`v0/${index}`, `v1/${index}`, `v2/${index}`]),
  )
  const all = slots.flatMap(({ tasks }) => tasks)
  const outgoing = all.flatMap(task => task.outputs.flatMap(edge => edge.channels.map(c => c.channelId)))
  const incoming = all.flatMap(task => task.inputs.flatMap(edge => edge.channels.map(c => c.channelId)))
  expect(outgoing.length).toBe(2 * 16)
  expect(incoming.toSorted()).toEqual(outgoing.toSorted())
})
