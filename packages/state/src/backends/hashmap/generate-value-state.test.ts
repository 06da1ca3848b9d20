import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ValueState } from '../../api/user-states.ts'
import { CopyOnWrite } from './copy-on-write.ts'
import { HeapState } from './heap-state.ts'
import { KeyCursor, LAST_GENERATION } from './key-cursor.ts'

function open(startGeneration = 0) {
  const cursor = new KeyCursor()
  cursor.generation = startGeneration
  const copyOnWrite = new CopyOnWrite(cursor)
  return {
    cursor,
    copyOnWrite,
    state: new HeapState<unknown>({ name: 's', kind: 'value' }, { cursor, copyOnWrite }),
  }
}

/** Keys that meet each branch of the generated lookup, and others that a Map compares in its own way. */
const key = fc.constantFrom<unknown>(
  0,
  -0,
  1,
  -1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  0.5,
  Number.NaN,
  Infinity,
  '',
  '0',
  '1',
  '\0',
  '\0s\0',
  'a text longer than thirteen',
  true,
  1n,
  [1],
  { a: 1 },
)

const sameKey = (a: unknown, b: unknown): boolean =>
  JSON.stringify([typeof a, String(a === 0 ? 0 : a), Array.isArray(a)]) ===
  JSON.stringify([typeof b, String(b === 0 ? 0 : b), Array.isArray(b)])

test('two states of one table, tables and snapshots in any order give what a list of keys gives', {
  timeout: 30_000,
}, () => {
  const step = fc.record({
    key,
    what: fc.constantFrom('value', 'update', 'clear', 'insert', 'remove', 'snapshot', 'keep-key'),
    which: fc.nat({ max: 1 }),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      // So that the count of generations begins anew somewhere in between.
      fc.integer({ min: LAST_GENERATION - 60, max: LAST_GENERATION }),
      (steps, startGeneration) => {
        const { cursor, copyOnWrite, state } = open(startGeneration)
        const states: ValueState<unknown>[] = [state.valueState('none'), state.valueState('nothing')]
        const defaults = ['none', 'nothing']
        const model: { key: unknown; value: number }[] = []
        let current: unknown = 'first'
        cursor.set(current)
        let n = 0
        for (const { key: next, what, which } of steps) {
          if (what !== 'keep-key') {
            current = next
            cursor.set(next)
          }
          const value = states[which] as ValueState<unknown>
          const at = model.findIndex(entry => sameKey(entry.key, current))
          expect(value.value()).toBe(model[at]?.value ?? defaults[which])
          switch (what) {
            case 'update':
            case 'keep-key':
              value.update(++n)
              if (at < 0) model.push({ key: current, value: n })
              else (model[at] as { value: number }).value = n
              break
            case 'insert':
              if (at >= 0) break
              state.table(undefined).insert(current, ++n)
              model.push({ key: current, value: n })
              break
            case 'clear':
            case 'remove':
              if (what === 'clear') value.clear()
              else expect(state.table(undefined).remove(current)).toBe(at >= 0)
              if (at >= 0) model.splice(at, 1)
              break
            case 'snapshot':
              copyOnWrite.begin({ base: 0, saveEntry: () => {}, savePart: () => {}, keep: () => {} })
              break
            case 'value':
          }
          const after = model.find(entry => sameKey(entry.key, current))
          for (const i of [0, 1])
            expect((states[i] as ValueState<unknown>).value()).toBe(after?.value ?? defaults[i])
          expect(state.table(undefined).size).toBe(model.length)
        }
      },
    ),
  )
})

test('the first touch after a snapshot began saves the old value, remembered entries included, once', () => {
  const { cursor, copyOnWrite, state } = open()
  const value = state.valueState(undefined)
  cursor.set(1)
  value.update({ n: 1 })
  cursor.set('text')
  value.update({ n: 2 })
  const saved: unknown[] = []
  copyOnWrite.begin({
    base: 0,
    saveEntry: (table, entry) => saved.push([table.state.name, entry.key, JSON.stringify(entry.value)]),
    savePart: () => {},
    keep: () => {},
  })
  // Same key as before the snapshot: what was remembered must not be handed out unsaved.
  ;(value.value() as { n: number }).n = 3
  value.update({ n: 4 })
  cursor.set(1)
  value.update({ n: 5 })
  cursor.set(2)
  value.update({ n: 6 })
  expect(saved).toEqual([
    ['s', 'text', '{"n":2}'],
    ['s', 1, '{"n":1}'],
  ])
})

test('nothing is remembered over a restart of the count of generations', () => {
  const { cursor, state } = open()
  const value = state.valueState('none')
  cursor.set('a')
  value.update('of a')
  expect(value.value()).toBe('of a')
  const remembered = cursor.generation
  cursor.generation = LAST_GENERATION
  while (cursor.generation !== remembered) cursor.set('b')
  expect(value.value()).toBe('none')
})

test('value states of one name share their code, whatever their number', () => {
  const { cursor, state } = open()
  cursor.set(1)
  const first = state.valueState(0)
  const second = state.valueState(0)
  first.update(7)
  expect(second.value()).toBe(7)
  expect(second.update).toBe(first.update)
})

test('without a key the error names the state', () => {
  const { state } = open()
  const value = state.valueState(0)
  for (const call of [
    () => value.value(),
    () => value.update(1),
    () => value.update(undefined),
    () => value.clear(),
  ]) {
    expect(call).toThrow(expect.objectContaining({ code: 'state.no-current-key' }))
  }
})

test('integer keys that share places are told apart while a table grows and shrinks', () => {
  const step = fc.record({
    key: fc.integer({ min: -300, max: 300 }),
    step: fc.constantFrom(1, 4096, 2 ** 22 + 1),
    remove: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 500, size: 'max' }), steps => {
      const table = open().state.table(undefined)
      const model = new Map<number, string>()
      for (const { key: n, step: distance, remove } of steps) {
        const integer = n * distance
        const found = table.find(integer)
        expect(found?.value).toBe(model.get(integer))
        if (found !== undefined) expect(found.key).toBe(integer)
        if (remove) expect(table.remove(integer)).toBe(model.delete(integer))
        else if (found === undefined) {
          table.insert(integer, `v${integer}`)
          model.set(integer, `v${integer}`)
        }
      }
      for (const [integer, value] of model) expect(table.find(integer)?.value).toBe(value)
      expect(table.size).toBe(model.size)
    }),
  )
})
