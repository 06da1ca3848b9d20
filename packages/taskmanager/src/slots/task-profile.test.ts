import { expect, it } from 'vitest'
import { taskFunctionName } from '../thread/task-function-name.ts'
import { TaskProfileBuilder } from './task-profile.ts'

const VERTEX = 'a'.repeat(32)
const OTHER = 'b'.repeat(32)
const MODULE = 'file:///jobs/job.mjs'

function profile(stacks: readonly (readonly [count: number, ...names: string[]])[]): string {
  const nodes: { id: number; callFrame: object; children: number[] }[] = []
  const node = (functionName: string): (typeof nodes)[number] => {
    const url = functionName.startsWith('user') ? MODULE : ''
    const made = {
      id: nodes.length + 1,
      callFrame: { functionName, url, lineNumber: 4, columnNumber: 0 },
      children: [],
    }
    nodes.push(made)
    return made
  }
  const root = node('(root)')
  const samples: number[] = []
  for (const [count, ...names] of stacks) {
    let at = root
    for (const name of names) {
      const child = node(name)
      at.children.push(child.id)
      at = child
    }
    for (let i = 0; i < count; i++) samples.push(at.id)
  }
  return JSON.stringify({ nodes, samples })
}

it('calls belong to the innermost task on the stack, and what is below other tasks is theirs', () => {
  const [own, other] = [taskFunctionName(VERTEX, 3), taskFunctionName(OTHER, 3)]
  const builder = new TaskProfileBuilder({ vertexId: VERTEX, stackDepth: 10 })
  builder.add(
    profile([
      [5, 'run', other, 'map', own, 'step', 'userMap'],
      [4, 'run', own, 'step', 'userMap'],
      [3, 'run', own, 'emit', other, 'userSink'],
      [2, '(idle)'],
      [1, 'run', 'decode'],
      [6, '(garbage collector)'],
    ]),
    MODULE,
  )
  const { onCpu, offCpu } = builder.build()
  expect(onCpu).toEqual({
    name: 'root',
    value: 15,
    children: [
      {
        ...{ name: 'step', value: 9 },
        children: [{ name: 'userMap (job.mjs:5)', value: 9, children: [] }],
      },
      { name: 'garbage collection of the slot', value: 6, children: [] },
    ],
  })
  expect(offCpu.value).toBe(6)
  expect(offCpu.children.map(({ value }) => value)).toEqual([3, 2, 1])
})

it('stacks are cut at the depth that was asked for', () => {
  const builder = new TaskProfileBuilder({ vertexId: VERTEX, stackDepth: 2 })
  builder.add(profile([[1, taskFunctionName(VERTEX, 0), 'a', 'b', 'c', 'd']]), MODULE)
  const { onCpu } = builder.build()
  expect(onCpu.children[0]?.children[0]).toEqual({ name: 'b', value: 1, children: [] })
})
