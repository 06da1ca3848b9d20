const { existsSync, readFileSync } = require('node:fs')
const allowed = require('./architecture.json')

const test = '[.]test[.]ts$'
// What a package publishes through `exports`, as source files.
const entries = Object.keys(allowed)
  .filter(name => existsSync(`packages/${name}/package.json`))
  .flatMap(name =>
    Object.values(JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')).exports)
      .map(target => target['@flink-ts/source'])
      .filter(Boolean)
      .map(source => `^packages/${name}/${source.slice('./'.length).replaceAll('.', '[.]')}$`),
  )

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment:
        'Cycles of types alone are erased: each class of a fluent API names those that its calls give.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...Object.entries(allowed).map(([name, ok]) => ({
      name: `allowed-${name}`,
      severity: 'error',
      from: { path: `^packages/${name}/`, pathNot: test },
      to: { path: '^packages/', pathNot: `^packages/(${[name, ...ok].join('|')})/` },
    })),
    {
      name: 'no-deep-import',
      severity: 'error',
      comment: 'Another package is entered through its exports.',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: ['^packages/$1/', ...entries] },
    },
    {
      name: 'testing-only-from-tests',
      severity: 'error',
      comment: 'Shipped code may not depend on test fakes.',
      from: { path: '^packages/', pathNot: ['^packages/testing/', test] },
      to: { path: '^packages/testing/' },
    },
    {
      name: 'jobmanager-sees-no-backend',
      severity: 'error',
      comment: 'The JobManager handles state handles, never live state.',
      from: { path: '^packages/jobmanager/', pathNot: test },
      to: { path: '^packages/state/src/backends/' },
    },
    {
      name: 'gen-stays-in-its-package',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/[^/]+/src/gen/', pathNot: '^packages/$1/' },
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'An import that cannot be resolved is seen by no other rule.',
      from: {},
      to: { couldNotResolve: true },
    },
    { name: 'not-to-test-file', severity: 'error', from: {}, to: { path: test } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    enhancedResolveOptions: {
      conditionNames: ['@flink-ts/source', 'import', 'default'],
      exportsFields: ['exports'],
    },
  },
}
