// All checks, then all tests; ends with one line that counts both. Runs after setup.mjs, on the pinned Node.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'

const bin = name => `node_modules/.bin/${name}`
// The shell of the first run may still have the machine's own Node, found before the pinned one was installed.
const pinned = bin('node')
const node = existsSync(pinned) ? pinned : process.execPath
const results = 'node_modules/.cache/vitest-results.json'

// Elsewhere npm run build:rocksdb makes it; tests that need it are skipped by name while it is missing.
const { CI, FLINK_TEST_SYSTEM } = process.env
const buildsRocksDb = (CI === 'true' || FLINK_TEST_SYSTEM === '1') && existsSync('/usr/include/rocksdb/db.h')
const rocksDb = ['RocksDB addon (g++)', node, 'packages/rocksdb/native/build.mjs']

// Stages of one row run at the same time; a row waits for the one before it.
const rows = [
  [
    ...(buildsRocksDb ? [rocksDb] : []),
    ['generated files', node, 'tools/generate.mjs', '--check'],
    ['format and lint (biome)', bin('biome'), 'check', '--error-on-warnings', '--max-diagnostics=200', '.'],
    ['build and types (tsc)', bin('tsc'), '-b'],
  ],
  [
    ['types-aware lint (eslint)', bin('eslint'), '.', '--max-warnings=0'],
    ['architecture', node, 'tools/check-architecture.mjs'],
    ['unused code (knip)', bin('knip'), '--no-progress'],
  ],
]

const seconds = started => `${((performance.now() - started) / 1000).toFixed(1)} s`

function run(command, args, stdio) {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio })
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', data => (output += data))
    child.stderr?.setEncoding('utf8').on('data', data => (output += data))
    child.on('error', error => resolve({ code: 1, output: error.message }))
    child.on('close', (code, signal) => resolve({ code, signal, output }))
  })
}

async function check([title, command, ...args]) {
  const started = performance.now()
  const { code, output } = await run(command, args, 'pipe')
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds(started)})`)
  if (code !== 0) console.log(`${output.trim()}\n`)
  return code === 0
}

function countTests(code) {
  if (!existsSync(results)) return { passed: 0, failed: 1, skipped: [] }
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(results, 'utf8'))
  const tests = testResults.flatMap(file => file.assertionResults)
  const skipped = tests.filter(test => ['pending', 'skipped'].includes(test.status))
  // A file that could not be loaded has no tests to count.
  const broken = testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
  )
  const failed = numFailedTests + broken.length
  // An error outside of any test fails the run without failing a test.
  return {
    passed: numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: skipped.map(test => test.fullName),
  }
}

const checks = []
for (const row of rows) checks.push(...(await Promise.all(row.map(check))))

mkdirSync('node_modules/.cache', { recursive: true })
rmSync(results, { force: true })
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
const runTests = () => run(bin('vitest'), ['run', ...reporters, ...process.argv.slice(2)], 'inherit')
let { code, signal } = await runTests()
// A check inside V8 failed once (jit_page.has_value(); nodejs/node#64500 reports a relative of it) and ended the whole
// process that runs the tests. A failed test does not end it so, and is never repeated.
if (!existsSync(results) && ['SIGABRT', 'SIGTRAP', 'SIGILL'].includes(signal)) {
  console.log(`\nNode.js itself broke off with ${signal}, no test did: the tests run once more.\n`)
  ;({ code, signal } = await runTests())
}
const tests = countTests(signal === null ? code : 1)

for (const name of tests.skipped) console.log(`skipped: ${name}`)
const passed = checks.filter(Boolean).length + tests.passed
const failed = checks.filter(ok => !ok).length + tests.failed
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
