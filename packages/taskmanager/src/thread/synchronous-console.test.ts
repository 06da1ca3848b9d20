import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MODULE = new URL('./synchronous-console.ts', import.meta.url).href

/** Runs `code` in a worker of a process of its own, whose main thread is blocked meanwhile. */
function outputOf(code: string): Promise<{ stdout: string; stderr: string }> {
  const worker = `import(${JSON.stringify(MODULE)}).then(m => { m.installSynchronousConsole(); ${code}; done() })`
  const main = `
    const { Worker } = require('node:worker_threads')
    const flag = new Int32Array(new SharedArrayBuffer(4))
    const done = 'const done = () => { Atomics.store(require("node:worker_threads").workerData, 0, 1); Atomics.notify(require("node:worker_threads").workerData, 0) };'
    const w = new Worker(done + ${JSON.stringify(worker)}, { eval: true, workerData: flag })
    w.on('online', () => { Atomics.wait(flag, 0, 0, 5000) })`
  const child = spawn(process.execPath, ['--eval', main], { stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (chunks.stdout += chunk))
  child.stderr.on('data', chunk => (chunks.stderr += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(chunks))
  })
}

test('output of a slot thread is complete and in order, and needs no main thread', async () => {
  expect(fileURLToPath(MODULE)).toMatch(/synchronous-console/)
  const { stdout, stderr } = await outputOf(
    `for (let i = 0; i < 20000; i++) console.log('line ' + i + ' of user code')
     process.stdout.write('direct ')
     console.error('to the other')
     console.log({ nested: [1, { two: 2 }] })`,
  )
  const lines = stdout.split('\n')
  expect(lines.slice(0, 20_000)).toEqual(Array.from({ length: 20_000 }, (_, i) => `line ${i} of user code`))
  expect(lines[20_000]).toBe('direct { nested: [ 1, { two: 2 } ] }')
  expect(stderr).toContain('to the other')
})
