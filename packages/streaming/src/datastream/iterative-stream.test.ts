import { expect, test } from 'vitest'
import { planned, plannedJob } from '../graph/fake-context.ts'

test('head and tail have the same parallelism; loops are numbered', async () => {
  const { graph, program } = await plannedJob(env => {
    for (let i = 0; i < 2; i++) {
      const loop = env
        .fromSequence(1, 9)
        .map(n => n)
        .setParallelism(3)
        .iterate()
      const next = loop.map(n => n - 1).setParallelism(1)
      expect(loop.closeWith(next.filter(n => n > 0))).toBeDefined()
      next.print()
    }
  })
  const operators = graph.vertices.flatMap(({ parallelism, operators }) =>
    operators.map(({ kind, nodeId }) => ({ kind, nodeId, parallelism })),
  )
  const ends = operators.filter(({ kind }) => kind.startsWith('iteration'))
  expect(ends.map(({ kind, parallelism }) => `${kind} ${parallelism}`).sort()).toEqual([
    ...['iteration-head 3', 'iteration-head 3', 'iteration-tail 3', 'iteration-tail 3'],
  ])
  expect(program.operatorFactory(ends[0]?.nodeId as number).kind).toMatch(/iteration/)
})

test('a loop is closed, once, and its options make sense', async () => {
  const executed = planned(async env => {
    env.fromElements(1).iterate().print()
    await env.execute()
  })
  await expect(executed).rejects.toThrow(/'Iteration Head' \(operator 2\) gets nothing back: call closeWith/)
  await planned(env => {
    const loop = env.fromElements(1).iterate()
    loop.closeWith(loop)
    expect(() => loop.closeWith(loop)).toThrow(/closed already/)
    expect(() => env.fromElements(1).iterate({ maxFeedback: 0 })).toThrow(/maxFeedback 0/)
    expect(() => env.fromElements(1).iterate({ maxWait: 'soon' })).toThrow(/soon/)
  })
})
