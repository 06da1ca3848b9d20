import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nullLogger } from '@flink-ts/common'
import type { SplitEnumeratorContext } from '@flink-ts/operators'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FileEnumeratorState, FileSplitEnumerator } from './file-split-enumerator.ts'

interface Split {
  readonly index: number
  readonly uri: string
}

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'file-enumerator-')), 'in')
  mkdirSync(folder)
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

const file = (name: string): void => writeFileSync(join(folder, name), name)

/** An enumerator whose asynchronous calls run when a test says so, one after the other; one reader that always asks. */
function enumeration(options: {
  readonly discoveryIntervalMs?: number
  readonly restored?: FileEnumeratorState<Split>
}) {
  const assigned: string[] = []
  const delays: number[] = []
  const calls: (() => Promise<void>)[] = []
  const context: SplitEnumeratorContext<Split> = {
    currentParallelism: 1,
    registeredReaders: () => [0],
    assignSplit: split => context.assignSplits([split], 0),
    assignSplits: splits => {
      for (const { uri } of splits) assigned.push(uri.slice(uri.lastIndexOf('/') + 1))
    },
    signalNoMoreSplits: () => assigned.push('no more'),
    sendSourceEvent: () => {},
    callAsync(work, handler, { initialDelayMs = 0, onError } = {}) {
      delays.push(initialDelayMs)
      calls.push(async () => {
        const [done] = await Promise.allSettled([work()])
        if (done.status === 'fulfilled') handler(done.value)
        else if (onError === undefined) throw done.reason
        else onError(done.reason)
      })
    },
    logger: nullLogger,
  }
  const enumerator = new FileSplitEnumerator<Split>(
    {
      uris: [pathToFileURL(folder).href],
      splitsOf: async ({ uri }) => [{ uri }],
      discoveryIntervalMs: options.discoveryIntervalMs,
    },
    context,
    options.restored,
  )
  /** Runs what is to be done next; the reader asks for as much as there is. */
  const run = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await calls.shift()?.()
      for (let n = 0; n < 3; n++) enumerator.handleSplitRequest(0)
    }
  }
  return { enumerator, assigned, delays, run }
}

describe('looking for new files', () => {
  test('goes on after failed listings, with pauses that grow, and gives every file once', async () => {
    file('a')
    const { enumerator, assigned, delays, run } = enumeration({ discoveryIntervalMs: 10 })
    enumerator.start()
    await run(2)
    rmSync(folder, { recursive: true })
    await run(3)
    expect(delays.slice(-3)).toEqual([1000, 2000, 4000])
    mkdirSync(folder)
    file('a')
    file('b')
    await run(2)
    expect(assigned).toEqual(['a', 'b'])
    // Those before do not count any more.
    rmSync(folder, { recursive: true })
    await run(1)
    expect(delays.at(-2)).toBe(10)
    expect(delays.at(-1)).toBe(1000)
  })

  test('fails after five listings that failed', async () => {
    const { enumerator, run } = enumeration({ discoveryIntervalMs: 10 })
    enumerator.start()
    await run(1)
    rmSync(folder, { recursive: true })
    await run(4)
    await expect(run(1)).rejects.toMatchObject({ code: 'connectors.listing-failed', data: { attempts: 5 } })
  })

  test('a folder that is not there at the start is an error at once', async () => {
    rmSync(folder, { recursive: true })
    const { enumerator, run } = enumeration({ discoveryIntervalMs: 10 })
    enumerator.start()
    await expect(run(1)).rejects.toMatchObject({ code: 'connectors.path-not-found' })
    mkdirSync(folder)
  })
})

describe('after a restore', () => {
  test('of a source that had read all, a continuous one finds what is new', async () => {
    file('a')
    const once = enumeration({})
    once.enumerator.start()
    await once.run(2)
    expect(once.assigned).toEqual(['a', 'no more', 'no more', 'no more'])
    const restored = once.enumerator.snapshotState()
    expect(restored.complete).toBe(true)

    file('b')
    const again = enumeration({ discoveryIntervalMs: 10, restored })
    again.enumerator.start()
    await again.run(2)
    expect(again.assigned).toEqual(['b'])
    expect(again.enumerator.snapshotState().complete).toBe(false)

    const still = enumeration({ restored })
    still.enumerator.start()
    await still.run(1)
    expect(still.assigned).toEqual(['no more', 'no more', 'no more'])
  })

  test('of a snapshot that does not name the files, a continuous one is refused', () => {
    const restored = { pending: [], nextIndex: 3, seen: [], complete: true }
    expect(() => enumeration({ discoveryIntervalMs: 10, restored })).toThrow(/Restore without it/)
    expect(() => enumeration({ restored })).not.toThrow()
  })
})
