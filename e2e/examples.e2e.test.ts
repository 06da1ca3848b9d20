import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REPOSITORY } from './harness/test-cluster.ts'

const example = (name: string): string => join(REPOSITORY, `examples/datastream/src/${name}.ts`)

/** The service that async-enrichment asks, as a user would start it. */
let service: ChildProcess
let serviceUrl: string
beforeAll(async () => {
  service = spawn(process.execPath, [example('country-service'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(service.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  serviceUrl = /http:\S+/.exec(String(line))?.[0] ?? ''
})
afterAll(async () => {
  service.kill()
  await once(service, 'exit')
})

/** What a program prints, without the number of the subtask, sorted. */
async function printed(name: string, args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [example(name), ...args])
  const lines = stdout.trimEnd().split('\n')
  return lines.map(line => line.replace(/^\d+> /, '')).sort()
}

/** Computed from the description alone: the next payment of the same card, within a minute. */
const AMOUNTS = [0.09, 510, 102.62, 91.5, 0.02, 30.01, 701.83, 31.92]
const FRAUDS = Array.from({ length: 115 }, (_, n) => n)
  .filter(n => (AMOUNTS[n % 8] as number) < 1 && (AMOUNTS[(n + 5) % 8] as number) > 500)
  .map(n => `alert: ${AMOUNTS[(n + 5) % 8]} on card card-${n % 5}`)
  .sort()
const BILLS = Array.from({ length: 20 }, (_, n) => {
  const [place, fare] = [['Midtown', 'Harlem', 'SoHo'][n % 3], 19 - n]
  return `ride ${n} from ${place}: ${10 + fare}, tip ${fare % 4}`
}).sort()
const WORDS = [
  ...['be 2', 'is 1', 'mind 1', 'nobler 1', 'not 1', 'or 1', 'question 1'],
  ...['suffer 1', 'that 1', 'tis 1', 'whether 1'],
]

describe.each([1, 4])('at parallelism %i', parallelism => {
  const parallel = ['--parallelism', String(parallelism)]
  test.each([
    ['session-windows', ['ada / /shoes /cart in 45 s', 'ada / in 0 s', 'bob / in 0 s', 'bob /help in 0 s']],
    ['interval-join', ['hat paid with 15', 'shoes paid with 60']],
    [
      'broadcast-enrichment',
      [
        'Bern sold for 21.00 EUR',
        'Paris sold for 45.00 EUR',
        'Rome sold for 10.50 EUR',
        'Rome sold for 90.00 EUR',
      ],
    ],
    ['top-n', ['10:00 hat 96, shoes 24', '11:00 hat 96, shoes 24', '12:00 hat 48, shoes 12']],
    ['fraud-detection', FRAUDS],
    ['rides-and-fares', BILLS],
    ['batch-word-count', WORDS],
  ])('%s', async (name, expected) => {
    expect(await printed(name, parallel)).toEqual(expected)
  })

  test('two-phase-commit books everything once, and leaves no transaction open', async () => {
    const ledger = mkdtempSync(join(tmpdir(), 'ledger-'))
    await promisify(execFile)(process.execPath, [
      example('two-phase-commit'),
      ...parallel,
      '--ledger',
      ledger,
    ])
    const files = readdirSync(ledger)
    expect(files.filter(name => !name.endsWith('.booked'))).toEqual([])
    const cents = files
      .flatMap(name => readFileSync(join(ledger, name), 'utf8').trimEnd().split('\n'))
      .map(line => Number(line.split(' ').at(-1)))
    expect(cents.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    rmSync(ledger, { recursive: true })
  })

  test('socket-word-count, of what a server sends', async () => {
    const server = createServer(socket => socket.end('To be, or not\nto be\n'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const address = ['--hostname', '127.0.0.1', '--port', String(port)]
    const counts = await printed('socket-word-count', [...parallel, ...address])
    expect(counts).toEqual(['be 1', 'be 2', 'not 1', 'or 1', 'to 1', 'to 2'])
    server.close()
    await once(server, 'close')
  })

  test('async-enrichment, against a service that fails now and then', async () => {
    const names = ['Germany', 'France', 'Italy']
    const expected = Array.from({ length: 100 }, (_, i) => `${i + 1} ${names[(i + 1) % 3]}`).sort()
    expect(await printed('async-enrichment', [...parallel, '--service', serviceUrl])).toEqual(expected)
  })
})
