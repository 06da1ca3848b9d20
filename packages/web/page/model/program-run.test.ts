import { expect, it } from 'vitest'
import { EMPTY_FORM, problemOf, runBody, wordsOf } from './program-run.ts'

it.each([
  ['', []],
  ['  --rate 5\n--name  x ', ['--rate', '5', '--name', 'x']],
  [`--name "two words" '' --sql 'say "yes"'`, ['--name', 'two words', '', '--sql', 'say "yes"']],
  ['--path="/a b"/c', ['--path=/a b/c']],
])('takes the arguments %j apart', (text, words) => {
  expect(wordsOf(text)).toEqual(words)
})

it('sends what was filled in, and nothing else', () => {
  expect(runBody(EMPTY_FORM)).toEqual({ programArgsList: [] })
  expect(
    runBody({ args: '-n 1', parallelism: ' 4', savepointPath: ' /s/1 ', allowNonRestoredState: true }),
  ).toEqual({
    programArgsList: ['-n', '1'],
    parallelism: 4,
    savepointPath: '/s/1',
    allowNonRestoredState: true,
  })
  // Nothing is restored: there is nothing to skip.
  expect(runBody({ ...EMPTY_FORM, allowNonRestoredState: true })).toEqual({ programArgsList: [] })
})

it('says what can not be sent', () => {
  expect(problemOf(EMPTY_FORM)).toBe(undefined)
  for (const parallelism of ['0', '-1', '1.5', 'many', '1000000'])
    expect(problemOf({ ...EMPTY_FORM, parallelism })).toMatch(/whole number/)
  expect(problemOf({ ...EMPTY_FORM, args: `--name "it's"` })).toBe(undefined)
  expect(problemOf({ ...EMPTY_FORM, args: '--name "half' })).toMatch(/begins with "/)
})
