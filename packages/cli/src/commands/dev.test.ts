import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../cli-main.ts', import.meta.url))

let dir: string
let child: ChildProcess | undefined
let output: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dev-test-'))
  output = ''
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function flinkDev(...args: string[]): Promise<number | null> {
  child = spawn(process.execPath, ['--conditions=@flink-ts/source', MAIN, 'dev', ...args], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const note = (chunk: string) => {
    output += chunk
  }
  child.stdout?.setEncoding('utf8').on('data', note)
  child.stderr?.setEncoding('utf8').on('data', note)
  return new Promise(resolve => child?.once('close', resolve))
}

/** Waits until it was printed after what was seen last. */
async function printed(pattern: RegExp): Promise<void> {
  await vi.waitFor(() => expect(output).toMatch(pattern), { timeout: 30_000, interval: 10 })
  output = output.slice(output.search(pattern) + 1)
}

test('runs again at each change, whatever went wrong before, and ends with what it runs', {
  timeout: 90_000,
}, async () => {
  const [job, part] = [join(dir, 'job.ts'), join(dir, 'part.ts')]
  writeFileSync(part, `export const part: string = 'first'\n`)
  writeFileSync(
    job,
    `import { part } from './part.ts'\nconsole.log(part, process.argv[2], process.env.FLINK_LOCAL_SETTINGS)\n`,
  )
  const ended = flinkDev('-p', '3', '-Drest.prot=1', 'job.ts', '--x')
  await printed(/warning: .*rest\.prot.*did you mean rest\.port\?/)
  await printed(/first --x {"rest\.prot":"1","parallelism\.default":"3"}/)
  await printed(/job\.ts ended after .* It runs again when one of its 2 files changes; Ctrl-C ends this\./)

  writeFileSync(part, `export const part: string = = 'second'\n`)
  await printed(/part\.ts:1:29: Unexpected .*\n.*job\.ts was not run/)

  // As many editors write.
  writeFileSync(join(dir, '.part.swp'), `export const part: string = 'third'\n`)
  renameSync(join(dir, '.part.swp'), part)
  await printed(/third --x/)

  writeFileSync(job, `throw new RangeError('no good')\n`)
  await printed(/RangeError: no good/)
  await printed(/job\.ts failed \(exit code 1\)/)

  // It does not end by itself.
  writeFileSync(job, `console.log('pid', process.pid)\nsetInterval(() => {}, 1000)\n`)
  await vi.waitFor(() => expect(output).toMatch(/pid \d+\n/), { timeout: 30_000, interval: 10 })
  const first = Number(/pid (\d+)\n/.exec(output)?.[1])
  writeFileSync(job, `console.log('again', process.pid)\nsetInterval(() => {}, 1000)\n`)
  await vi.waitFor(() => expect(output).toMatch(/again \d+\n/), { timeout: 30_000, interval: 10 })
  const second = Number(/again (\d+)\n/.exec(output)?.[1])
  expect(() => process.kill(first, 0)).toThrow('ESRCH')
  child?.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(() => process.kill(second, 0)).toThrow('ESRCH')
})

test('a program that is not there is told at once', { timeout: 30_000 }, async () => {
  expect(await flinkDev('gone.ts')).toBe(2)
  expect(output).toContain('there is no such file')
})
