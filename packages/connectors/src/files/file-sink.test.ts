import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Deferred, nullLogger } from '@flink-ts/common'
import { type FileOutput, LocalFileSystem } from '@flink-ts/filesystem'
import type { Committer, Sink, SinkWriter } from '@flink-ts/operators'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileSink } from './file-sink.ts'
import type { PartCommittable, PartWriterState } from './part-file.ts'

interface Row {
  readonly id: number
}
type TestSink = Sink<Row, PartCommittable, PartWriterState>

let dir: string
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'file-sink-test-')), 'out')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

const context = {
  jobId: 'abc123',
  subtaskIndex: 0,
  parallelism: 1,
  attemptNumber: 0,
  restoredCheckpointId: undefined as number | undefined,
  files: { made: () => {}, gone: () => {} },
  setAvailable: (_: boolean) => {},
  logger: nullLogger,
  fail: (error: unknown) => {
    throw error
  },
}

/** Lets storage stop answering at a chosen call: all later ones are never made, as after kill -9. */
class Crashes {
  readonly #originals = new Map<string, unknown>()
  /** Calls until the crash; undefined: none. */
  #left: number | undefined
  #afterwards = false
  #crashed = new Deferred<'crash'>()
  calls = 0

  /** `afterwards`: the last call still takes effect, only its answer is lost. */
  arm(calls: number | undefined, afterwards: boolean): Promise<'crash'> {
    this.#left = calls
    this.#afterwards = afterwards
    this.calls = 0
    this.#crashed = new Deferred()
    return this.#crashed.promise
  }

  disarm(): void {
    void this.arm(undefined, false) // nothing waits for a crash that does not come
  }

  install(): void {
    const step = (call: () => Promise<unknown>): Promise<unknown> => this.#step(call)
    const prototype = LocalFileSystem.prototype as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >
    for (const name of ['create', 'rename', 'delete', 'status', 'list']) {
      const original = prototype[name] as (...args: unknown[]) => Promise<unknown>
      this.#originals.set(name, original)
      prototype[name] = function (...args) {
        return step(async () => {
          const result = await original.apply(this, args)
          return name === 'create' ? stepwise(result as FileOutput, step) : result
        })
      }
    }
  }

  uninstall(): void {
    Object.assign(LocalFileSystem.prototype, Object.fromEntries(this.#originals))
  }

  async #step(call: () => Promise<unknown>): Promise<unknown> {
    const crashed = this.#crashed
    if (crashed.settled) return new Promise(() => {})
    this.calls++
    if (this.#left !== undefined && this.#left-- === 0) {
      if (this.#afterwards) await call()
      crashed.resolve('crash')
    }
    if (crashed.settled) return new Promise(() => {})
    const result = await call()
    // A process that is dead does not go on, even if the call was on its way.
    return crashed.settled ? new Promise(() => {}) : result
  }
}

function stepwise(output: FileOutput, step: (call: () => Promise<unknown>) => Promise<unknown>): FileOutput {
  return {
    get position() {
      return output.position
    },
    write: bytes => step(() => output.write(bytes)) as Promise<void>,
    // Processes die here, not machines: what was written is there without a real sync.
    sync: () => step(() => Promise.resolve()) as Promise<void>,
    close: () => step(() => output.close()) as Promise<void>,
    abort: () => step(() => output.abort()) as Promise<void>,
  }
}

interface Checkpoint {
  readonly id: number
  readonly position: number
  readonly writerStates: readonly PartWriterState[]
  readonly committables: readonly PartCommittable[]
}

/** A job of one sink with its source positions and completed checkpoints, as the runtime drives it. */
class TestJob {
  readonly #sink: TestSink
  readonly #rows: number
  completed: Checkpoint | undefined
  #nextId = 1

  constructor(sink: TestSink, rows: number) {
    this.#sink = sink
    this.#rows = rows
  }

  /** One attempt from the last completed checkpoint to the end, with a checkpoint every `interval` rows. */
  async attempt(parallelism: number, interval: number): Promise<void> {
    const restored = this.completed
    const share = <T>(all: readonly T[], i: number): T[] => all.filter((_, n) => n % parallelism === i)
    const committers: Committer<PartCommittable>[] = []
    const writers: SinkWriter<Row, PartCommittable, PartWriterState>[] = []
    const pending: PartCommittable[][] = []
    for (let i = 0; i < parallelism; i++) {
      const committer = this.#sink.createCommitter?.() as Committer<PartCommittable>
      committers.push(committer)
      await committer.commit(share(restored?.committables ?? [], i))
      // States and committables need not go to the same subtask.
      const states = share(restored?.writerStates ?? [], parallelism - 1 - i)
      const own = { ...context, subtaskIndex: i, parallelism, restoredCheckpointId: restored?.id }
      writers.push(await this.#sink.createWriter(own, states))
      pending.push([])
    }
    let position = restored?.position ?? 0
    for (;;) {
      const end = Math.min(this.#rows, position + interval)
      for (; position < end; position++) writers[position % parallelism]?.write({ id: position }, 0)
      const writerStates: PartWriterState[] = []
      for (const [i, writer] of writers.entries()) {
        await writer.flush(position === this.#rows)
        pending[i]?.push(...((await writer.prepareCommit?.()) ?? []))
        writerStates.push(...((await writer.snapshotState?.(this.#nextId)) ?? []))
      }
      this.completed = { id: this.#nextId++, position, writerStates, committables: pending.flat() }
      // The source may run ahead of the notification.
      if (position < this.#rows) writers[0]?.write({ id: position }, 0)
      for (const [i, committer] of committers.entries()) await committer.commit(pending[i]?.splice(0) ?? [])
      if (position === this.#rows) break
      if (writers[0] !== undefined && position < this.#rows) position++
    }
    for (const writer of writers) await writer.close?.()
  }
}

function ids(): number[] {
  return readdirSync(dir)
    .flatMap(name => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n').slice(1))
    .map(Number)
    .sort((a, b) => a - b)
}

describe('FileSink under crashes', { timeout: 60_000 }, () => {
  const crashes = new Crashes()
  beforeEach(() => crashes.install())
  afterEach(() => crashes.uninstall())

  const rows = 25
  const expected = Array.from({ length: rows }, (_, id) => id)
  const newJob = (): TestJob => new TestJob(FileSink.forCsv<Row>(dir).build(), rows)

  async function run(
    plan: readonly { parallelism: number; crashAt: number; afterwards: boolean }[],
  ): Promise<void> {
    rmSync(dir, { recursive: true, force: true })
    const job = newJob()
    for (const { parallelism, crashAt, afterwards } of plan) {
      const crashed = crashes.arm(crashAt, afterwards)
      if ((await Promise.race([job.attempt(parallelism, 7), crashed])) !== 'crash') break
    }
    crashes.disarm()
    await job.attempt(plan.at(-1)?.parallelism ?? 1, 7)
    expect(ids()).toEqual(expected)
    expect(readdirSync(dir).filter(name => name.startsWith('.'))).toEqual([])
  }

  it.each([
    [1, 1],
    [2, 2],
    [3, 1],
    [1, 3],
  ])(
    'writes each row once when it is killed at any call, from parallelism %i to %i',
    async (before, after) => {
      crashes.disarm()
      await newJob().attempt(before, 7)
      const calls = crashes.calls
      expect(calls).toBeGreaterThan(20)
      for (let crashAt = 0; crashAt < calls; crashAt++) {
        for (const afterwards of [false, true]) {
          await run([
            { parallelism: before, crashAt, afterwards },
            { parallelism: after, crashAt: Number.MAX_SAFE_INTEGER, afterwards },
          ])
        }
      }
    },
  )

  it('writes each row once under any sequence of crashes and parallelisms', async () => {
    const attempt = fc.record({
      parallelism: fc.integer({ min: 1, max: 3 }),
      crashAt: fc.integer({ min: 0, max: 60 }),
      afterwards: fc.boolean(),
    })
    await fc.assert(fc.asyncProperty(fc.array(attempt, { minLength: 2, maxLength: 6 }), run), {
      numRuns: 100,
    })
  })
})

describe('FileSink', () => {
  const content = (): string[] => readdirSync(dir).map(name => readFileSync(join(dir, name), 'utf8'))
  async function finish(
    writer: SinkWriter<never, PartCommittable, PartWriterState>,
    sink: Sink<never, PartCommittable, PartWriterState>,
  ) {
    await writer.flush(true)
    const committables = (await writer.prepareCommit?.()) ?? []
    await sink.createCommitter?.().commit(committables)
    await writer.close?.()
    return committables
  }
  async function write<T>(sink: Sink<T, PartCommittable, PartWriterState>, records: T[], change = {}) {
    const writer = await sink.createWriter({ ...context, ...change }, [])
    for (const record of records) writer.write(record, 0)
    return finish(writer as never, sink as never)
  }

  it('writes columns, computed ones and a header', async () => {
    const sink = FileSink.forCsv<{ a: number; b: string }>(dir)
      .withColumns(['b', { name: 'twice, "a"', value: r => (r.a * 2).toFixed(2) }])
      .build()
    await write(sink, [
      { a: 1, b: 'x,y' },
      { a: 2.5, b: '' },
    ])
    expect(content()).toEqual(['b,"twice, ""a"""\n"x,y",2.00\n"",5.00\n'])
  })

  it('says which unfinished file it makes, and when a row that nobody wants has gone with it', async () => {
    const log: string[] = []
    const files = {
      made: (uri: string) => log.push(`made ${uri}`),
      gone: (uris: readonly string[]) => log.push(`gone ${uris}`),
    }
    const sink = FileSink.forRow<string>(dir, row => row).build()
    const [first] = await write(sink, ['a'], { files })
    expect(log).toEqual([`made ${first?.inProgressUri}`])
    expect(sink.filesOf?.(first as PartCommittable)).toEqual([first?.inProgressUri])
    const writer = await sink.createWriter({ ...context, files } as never, [])
    writer.write('b', 0)
    await writer.flush(false)
    await writer.close?.()
    expect(log.slice(1).map(line => line.split(' ')[0])).toEqual(['made', 'gone'])
    expect(log[1]?.slice(5)).toBe(log[2]?.slice(5))
    expect(content()).toEqual(['a\n'])
  })

  it('takes the columns from the first record, and refuses records with others', async () => {
    const sink = FileSink.forCsv<object>(dir).withHeader(false).build()
    await write(sink, [
      { a: 1, b: 2 },
      { b: 3, a: 4 },
    ])
    expect(content()).toEqual(['1,2\n4,3\n'])
    for (const other of [{ a: 1 }, { a: 1, b: 2, c: 3 }, { a: 1, c: 2 }]) {
      await expect(write(sink, [{ a: 1, b: 2 }, other])).rejects.toMatchObject({
        code: 'connectors.csv-columns-differ',
      })
    }
    for (const record of [1, null, 'text', [1], {}]) {
      await expect(write(sink as Sink<unknown, PartCommittable, PartWriterState>, [record])).rejects.toThrow(
        'withColumns',
      )
    }
  })

  it('writes lines by a function of the user', async () => {
    await write(
      FileSink.forRow<number>(dir, n => `<${n}>`)
        .withSuffix('.txt')
        .withHeader('#')
        .build(),
      [1, 2],
    )
    expect(content()).toEqual(['#\n<1>\n<2>\n'])
    expect(readdirSync(dir)[0]).toMatch(/^part-0-[0-9a-f]{16}-0\.txt$/)
  })

  it('that is given to a second operator keeps its hands off the files of the first', async () => {
    const sink = FileSink.forRow<string>(dir, line => line).build()
    const first = await sink.createWriter(context, [])
    first.write('a', 0)
    await first.flush(false)
    const copy = sink.copy?.() as typeof sink
    const second = await copy.createWriter(context, [])
    second.write('b', 0)
    await second.flush(false)
    await finish(first as never, sink as never)
    await finish(second as never, copy as never)
    expect(content().toSorted()).toEqual(['a\n', 'b\n'])
  })

  it('makes no files without records', async () => {
    await write(FileSink.forCsv<Row>(dir).build(), [])
    expect(existsSync(dir) ? readdirSync(dir) : []).toEqual([])
  })

  it('removes its unfinished file when it is closed early', async () => {
    const writer = await FileSink.forCsv<Row>(dir).build().createWriter(context, [])
    writer.write({ id: 1 }, 0)
    await writer.flush(false)
    expect(readdirSync(dir)).toHaveLength(1)
    await writer.close?.()
    expect(readdirSync(dir)).toEqual([])
  })

  it('asks for a pause while storage is slow, and goes on', async () => {
    const available: boolean[] = []
    const sink = FileSink.forRow<string>(dir, line => line).build()
    const writer = await sink.createWriter({ ...context, setAvailable: value => available.push(value) }, [])
    const line = 'x'.repeat(100_000)
    for (let i = 0; i < 60; i++) writer.write(line, 0)
    expect(available.at(0)).toBe(false)
    await writer.flush(true)
    expect(available.at(-1)).toBe(true)
    await finish(writer as never, sink as never)
    expect(content()[0]?.length).toBe(60 * 100_001)
  })

  it('fails at the next flush when storage fails, and reports it at once', async () => {
    const failures: unknown[] = []
    mkdirSync(join(dir, '..'), { recursive: true })
    const sink = FileSink.forRow<string>(dir, line => line).build()
    const writer = await sink.createWriter({ ...context, fail: error => failures.push(error) }, [])
    writeFileSync(dir, 'a file where the folder should be')
    writer.write('x', 0)
    await expect(Promise.resolve(writer.flush(false))).rejects.toThrow()
    expect(failures).toHaveLength(1)
    await writer.close?.()
  })

  it('commits again and again without harm, and says when files are lost', async () => {
    const sink = FileSink.forCsv<Row>(dir).build()
    const committables = await write(sink, [{ id: 1 }])
    const committer = sink.createCommitter?.()
    await committer?.commit(committables)
    await Promise.all([committer?.commit(committables), committer?.commit(committables)])
    expect(content()).toEqual(['id\n1\n'])
    rmSync(dir, { recursive: true })
    await expect(committer?.commit(committables)).rejects.toMatchObject({
      code: 'connectors.part-file-lost',
      domain: 'external',
      message: expect.stringMatching(/\.part-0-0\.inprogress.*part-0-[0-9a-f]+-0\.csv/),
    })
  })

  it('leaves the unfinished files of others alone', async () => {
    const live = await FileSink.forCsv<Row>(dir)
      .build()
      .createWriter({ ...context, jobId: 'other' }, [])
    live.write({ id: 1 }, 0)
    await live.flush(false)
    const sibling = await FileSink.forCsv<Row>(dir).build().createWriter(context, [])
    sibling.write({ id: 2 }, 0)
    await sibling.flush(false)
    writeFileSync(join(dir, '.keep'), '')
    await write(FileSink.forCsv<Row>(dir).build(), [{ id: 3 }])
    expect(readdirSync(dir).filter(name => name.startsWith('.'))).toHaveLength(3)
    await live.close?.()
    await sibling.close?.()
  })
})
