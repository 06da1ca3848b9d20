// Only what needs types, and restrictions with a reason in their message. Biome does the rest.
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const simulated = ['rpc', 'jobmanager', 'taskmanager', 'resourcemanager', 'dispatcher']
const clock =
  'The simulation replays a whole cluster in virtual time: take a Clock as a constructor parameter.'
const random = 'The simulation replays failures from a seed: take a Random as a constructor parameter.'
const timers = ['setTimeout', 'setInterval']

export default defineConfig(
  { ignores: ['**/dist/**', 'packages/flink-ts/lib/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: [
      '{packages,examples}/*/src/**/*.ts',
      '{benchmarks,e2e,simulation,tools,packages/*/tools}/**/*.ts',
      'packages/web/page/**/*.{ts,tsx}',
    ],
    extends: [tseslint.configs.base],
    // One program for all packages: a program for each (projectService) checks shared sources again and again.
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.lint.json', 'packages/web/page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: simulated.map(name => `packages/${name}/src/**/*.ts`),
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', ...timers.map(name => ({ name, message: clock }))],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: clock },
        { object: 'performance', property: 'now', message: clock },
        { object: 'Math', property: 'random', message: random },
        ...timers.map(property => ({ object: 'globalThis', property, message: clock })),
      ],
      'no-restricted-imports': [
        'error',
        { paths: ['node:timers', 'node:timers/promises'].map(name => ({ name, message: clock })) },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
      ],
    },
  },
)
