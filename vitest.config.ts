import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Tests run from source. Threads and processes that a test starts inherit the condition through execArgv.
const condition = '@flink-ts/source'
// As Node.js resolves: what packages have under `module` is for bundlers, and may not run.
const conditions = [condition, ...defaultServerConditions.filter(name => name !== 'module')]
const execArgv = [`--conditions=${condition}`]
const project = { resolve: { conditions }, ssr: { resolve: { conditions } } }
/** Those that say how soon something is noticed, or how much memory is used: they have the machine to themselves. */
const timed = [
  'taskmanager-killed',
  'taskmanager-frozen',
  'connection-cut',
  'back-pressure',
  'unaligned',
].map(name => `e2e/${name}.e2e.test.ts`)
const seconds = (n: number) => n * 1000

export default defineConfig({
  test: {
    // groupOrder: kinds run one after another, so that a cluster has the cores to itself.
    projects: [
      {
        ...project,
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          maxWorkers: '100%',
          include: ['packages/*/{src,page}/**/*.test.ts', 'benchmarks/*/src/**/*.test.ts'],
          exclude: ['**/*.{cluster,server}.test.ts', '**/node_modules/**'],
          pool: 'threads',
          isolate: false,
          execArgv,
          // Threads and generated code start slowly where other work has the cores: a hang is what this is to end.
          testTimeout: seconds(30),
          hookTimeout: seconds(30),
        },
      },
      {
        test: {
          name: 'scripts',
          sequence: { groupOrder: 1 },
          maxWorkers: '100%',
          include: ['tools/**/*.test.ts'],
          pool: 'forks',
          testTimeout: seconds(30),
        },
      },
      {
        test: {
          name: 'simulation',
          sequence: { groupOrder: 1 },
          maxWorkers: '100%',
          include: ['simulation/**/*.test.ts'],
          pool: 'forks',
          testTimeout: seconds(420),
        },
      },
      {
        ...project,
        test: {
          name: 'cluster',
          sequence: { groupOrder: 2 },
          include: ['packages/*/src/**/*.cluster.test.ts'],
          pool: 'forks',
          execArgv,
          testTimeout: seconds(60),
          hookTimeout: seconds(60),
        },
      },
      {
        ...project,
        test: {
          name: 'server',
          sequence: { groupOrder: 3 },
          include: ['packages/*/src/**/*.server.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          execArgv,
          testTimeout: seconds(60),
          hookTimeout: seconds(120),
        },
      },
      {
        ...project,
        test: {
          name: 'e2e',
          sequence: { groupOrder: 4 },
          include: ['e2e/**/*.e2e.test.ts'],
          exclude: timed,
          pool: 'forks',
          // Most of the time one of them waits.
          maxWorkers: 2,
          testTimeout: seconds(180),
          hookTimeout: seconds(180),
        },
      },
      // With the programs of a real Flink, which no run of all tests downloads: npm run test:flink.
      ...(process.env['FLINK_TEST_SYSTEM'] === '1'
        ? [
            {
              ...project,
              test: {
                name: 'flink',
                sequence: { groupOrder: 4 },
                include: ['e2e/**/*.flink.test.ts'],
                pool: 'forks' as const,
                testTimeout: seconds(180),
                hookTimeout: seconds(180),
              },
            },
          ]
        : []),
      {
        ...project,
        test: {
          name: 'e2e-timed',
          sequence: { groupOrder: 5 },
          include: timed,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: seconds(180),
          hookTimeout: seconds(180),
        },
      },
    ],
  },
})
