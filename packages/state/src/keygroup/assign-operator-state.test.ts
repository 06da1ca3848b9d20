import type { OperatorId } from '@flink-ts/common'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KeyedStateHandle, OperatorState, OperatorStateHandle } from '../snapshot/state-handle.ts'
import { assignKeyedState, assignOperatorState } from './assign-operator-state.ts'
import { redistributeOperatorState } from './redistribute-operator-state.ts'

const id = 'b'.repeat(32) as OperatorId
const file = (path: string) => ({ type: 'file', path, sizeBytes: 1000 }) as const
type Lists = OperatorStateHandle['states']

/** What a subtask would read: `path@offset` by list. */
function elements(handles: readonly OperatorStateHandle[], name: string): string[] {
  return handles.flatMap(({ states, location }) =>
    states
      .filter(list => list.name === name)
      .flatMap(list => list.offsets.map(o => `${location.type === 'file' ? location.path : ''}@${o}`)),
  )
}

const oldState = fc.array(
  fc.record({ split: fc.nat({ max: 5 }), other: fc.nat({ max: 2 }), union: fc.nat({ max: 3 }) }),
  { minLength: 1, maxLength: 6 },
)

const handlesOf = (subtasks: { split: number; other: number; union: number }[]): OperatorStateHandle[][] =>
  subtasks.map((counts, i) => {
    const offsets = (count: number, from: number): number[] =>
      Array.from({ length: count }, (_, k) => from + k * 10)
    const states: Lists = [
      { name: 'split', mode: 'split', offsets: offsets(counts.split, 100) },
      { name: 'other', mode: 'split', offsets: offsets(counts.other, 300) },
      { name: 'union', mode: 'union', offsets: offsets(counts.union, 500) },
    ]
    return [{ states, location: file(`f${i}`) }]
  })

describe('operator state', () => {
  test('split lists: each element once, in order, evenly; union lists: all to everyone', () => {
    fc.assert(
      fc.property(oldState, fc.integer({ min: 1, max: 7 }), (subtasks, parallelism) => {
        const old = handlesOf(subtasks)
        const result = redistributeOperatorState(old, parallelism)
        expect(result).toHaveLength(parallelism)
        for (const name of ['split', 'other']) {
          const parts = result.map(handles => elements(handles, name))
          expect(parts.flat()).toEqual(elements(old.flat(), name))
          const sizes = parts.map(part => part.length)
          if (parallelism !== old.length)
            expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          else expect(parts).toEqual(old.map(handles => elements(handles, name)))
        }
        for (const handles of result)
          expect(elements(handles, 'union')).toEqual(elements(old.flat(), 'union'))
      }),
    )
  })

  test('a union list that everyone only carried along does not multiply', () => {
    const carried = (i: number): OperatorStateHandle[] => [
      { states: [{ name: 'u', mode: 'union', offsets: [1, 2], carried: true }], location: file(`f${i}`) },
    ]
    const used: OperatorStateHandle[] = [
      { states: [{ name: 'u', mode: 'union', offsets: [9] }], location: file('used') },
    ]
    const onlyCarried = redistributeOperatorState([carried(0), carried(1), carried(2)], 2)
    expect(onlyCarried.map(handles => elements(handles, 'u'))).toEqual([
      ['f0@1', 'f0@2'],
      ['f0@1', 'f0@2'],
    ])
    expect(redistributeOperatorState([carried(0), used], 1).map(h => elements(h, 'u'))).toEqual([['used@9']])
  })
})

describe('keyed state', () => {
  const handle = (start: number, offsets: number[]): KeyedStateHandle => ({
    keyGroupRange: { start, end: start + offsets.length - 1 },
    offsets,
    location: file(`k${start}`),
  })

  test('goes to whoever owns a key group that has something in it', () => {
    const handles = [handle(0, [10, -1, 20]), handle(3, [-1, 10, -1]), handle(6, [-1, -1])]
    const starts = (start: number, end: number): number[] =>
      assignKeyedState(handles, { start, end }).map(h => h.keyGroupRange.start)
    expect(starts(0, 7)).toEqual([0, 3])
    expect(starts(1, 1)).toEqual([])
    expect(starts(2, 3)).toEqual([0])
    expect(starts(2, 4)).toEqual([0, 3])
    expect(starts(5, 7)).toEqual([])
  })

  test('another maximum parallelism is refused, with both numbers, only if there is keyed state', () => {
    const stateWith = (keyed: KeyedStateHandle[]): OperatorState => ({
      operatorId: id,
      parallelism: 1,
      maxParallelism: 8,
      subtasks: [{ index: 0, state: { operatorId: id, keyed, operator: [] } }],
    })
    expect(() => assignOperatorState(stateWith([handle(0, [1])]), id, 2, 16, 0)).toThrow(
      expect.objectContaining({
        code: 'state.max-parallelism-changed',
        data: { what: `operator ${id}`, stored: 8, requested: 16 },
      }),
    )
    expect(assignOperatorState(stateWith([]), id, 2, 16, 0)).toEqual({
      operatorId: id,
      keyed: [],
      operator: [],
    })
    expect(assignOperatorState(undefined, id, 2, 16, 0)).toEqual({ operatorId: id, keyed: [], operator: [] })
  })

  test('subtasks stored in any order, some without state', () => {
    const sub = (index: number, start: number) => ({
      index,
      state: {
        operatorId: id,
        keyed: [handle(start, [1, 1])],
        operator: [
          { states: [{ name: 's', mode: 'split' as const, offsets: [1] }], location: file(`o${index}`) },
        ],
      },
    })
    const state: OperatorState = {
      operatorId: id,
      parallelism: 3,
      maxParallelism: 6,
      subtasks: [sub(2, 4), sub(0, 0)],
    }
    const parts = [0, 1].map(i => assignOperatorState(state, id, 2, 6, i))
    expect(parts.map(p => p.keyed.map(h => h.keyGroupRange.start))).toEqual([[0], [4]])
    expect(parts.map(p => elements(p.operator, 's'))).toEqual([['o0@1'], ['o2@1']])
    // Unchanged parallelism: subtask 1 had nothing and gets nothing.
    expect([0, 1, 2].map(i => elements(assignOperatorState(state, id, 3, 6, i).operator, 's'))).toEqual([
      ['o0@1'],
      [],
      ['o2@1'],
    ])
  })
})

test('records on their way stay with their subtask; at another parallelism everybody gets all of them', () => {
  const inputs = (subtask: number) => [
    { subtask, parallelism: 2, channels: [], location: file(`c${subtask}`) },
  ]
  const state: OperatorState = {
    operatorId: id,
    parallelism: 2,
    maxParallelism: 8,
    subtasks: [0, 1].map(index => ({
      index,
      state: { operatorId: id, keyed: [], operator: [], inputs: inputs(index) },
    })),
  }
  const assigned = (parallelism: number) =>
    Array.from({ length: parallelism }, (_, i) => assignOperatorState(state, id, parallelism, 8, i).inputs)
  expect(assigned(2)).toEqual([inputs(0), inputs(1)])
  expect(assigned(1)).toEqual([[...inputs(0), ...inputs(1)]])
  expect(assigned(3)).toEqual(Array(3).fill([...inputs(0), ...inputs(1)]))
})
