import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consumersOf } from '../execution-graph/channel-layout.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import { pipelinedRegions, subtaskKey } from './pipelined-regions.ts'

describe('pipelined regions', () => {
  it('makes one region of what is connected all to all', () => {
    expect(pipelinedRegions(sampleGraph('a*2 b*2', 'a>b'))).toEqual([['a/0', 'a/1', 'b/0', 'b/1']])
  })

  it('makes a region of each slot where all edges are forward', () => {
    expect(pipelinedRegions(sampleGraph('a*2 b*2', 'a>b:forward'))).toEqual([
      ['a/0', 'b/0'],
      ['a/1', 'b/1'],
    ])
  })

  it('joins unconnected vertices that share slots, and keeps those apart that do not', () => {
    expect(pipelinedRegions(sampleGraph('a*1 b*1', ''))).toEqual([['a/0', 'b/0']])
    expect(pipelinedRegions(sampleGraph('a*1@x b*1@y', ''))).toEqual([['a/0'], ['b/0']])
  })

  it('covers each subtask once, and no channel or slot crosses a region', () => {
    const vertex = fc.record({
      parallelism: fc.integer({ min: 1, max: 6 }),
      group: fc.constantFrom('x', 'y', 'z'),
    })
    const edge = fc.record({
      from: fc.nat(5),
      to: fc.nat(5),
      partitioning: fc.constantFrom('forward', 'rescale', 'hash'),
    })
    fc.assert(
      fc.property(
        fc.array(vertex, { minLength: 1, maxLength: 6 }),
        fc.array(edge, { maxLength: 6 }),
        (vs, es) => {
          const vertices = vs.map(({ parallelism, group }, i) => `v${i}*${parallelism}@${group}`).join(' ')
          const edges = es
            .filter(({ from, to }) => from < vs.length && to < vs.length && from < to)
            .map(({ from, to, partitioning }) => `v${from}>v${to}:${partitioning}`)
          const graph = sampleGraph(vertices, edges.join(' '))
          const regions = pipelinedRegions(graph)
          const regionOf = new Map(regions.flatMap((region, i) => region.map(key => [key, i] as const)))
          const subtasks = graph.vertices.flatMap(v =>
            Array.from({ length: v.parallelism }, (_, i) => subtaskKey(v.id, i)),
          )
          expect(regions.flat().sort()).toEqual([...subtasks].sort())
          for (const { source, target, partitioning } of graph.edges) {
            const producers = graph.vertices.find(v => v.id === source)!.parallelism
            const consumers = graph.vertices.find(v => v.id === target)!.parallelism
            for (let p = 0; p < producers; p++) {
              for (const c of consumersOf(partitioning, p, producers, consumers)) {
                expect(regionOf.get(subtaskKey(source, p))).toBe(regionOf.get(subtaskKey(target, c)))
              }
            }
          }
          const slots = new Map<string, number>()
          for (const v of graph.vertices) {
            for (let i = 0; i < v.parallelism; i++) {
              const region = regionOf.get(subtaskKey(v.id, i))!
              const slot = `${v.slotSharingGroup}/${i}`
              expect(slots.get(slot) ?? region).toBe(region)
              slots.set(slot, region)
            }
          }
        },
      ),
    )
  })
})
