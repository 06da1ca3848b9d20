import { readFileSync } from 'node:fs'
import { MAX_WATERMARK, MIN_WATERMARK, type OperatorFactory } from '../contract/stream-operator.ts'
import { type HarnessSnapshot, OperatorHarness } from '../harness/operator-harness.ts'

/** A record of a script. */
export interface ScriptRecord {
  readonly input: 'left' | 'right'
  readonly id: string
  readonly key: string
  readonly ts: number
}

/** A record, or a watermark of one input. */
export type ScriptStep = ScriptRecord | { readonly input: 'left' | 'right'; readonly watermark: number }

/** Results of real Flink for operators of two inputs. */
export interface GoldenJoins {
  readonly input: readonly ScriptStep[]
  readonly jobs: readonly {
    readonly name: string
    readonly output: readonly Readonly<Record<string, unknown>>[]
  }[]
}

/** The golden file. For tests. */
export function goldenJoins(): GoldenJoins {
  return JSON.parse(readFileSync(new URL('testdata/joins.json', import.meta.url), 'utf8')) as GoldenJoins
}

/** What came out, with the operator's watermark at that moment. */
export interface ScriptOutput {
  /** Side output; undefined: the main one. */
  readonly tag: string | undefined
  readonly value: unknown
  readonly timestamp: number
  readonly watermark: number
}

/** How a script is run. */
export interface ScriptOptions {
  /** From step to step: before step `i` the operator is stored, ended and restored at the given parallelism. */
  readonly parallelism?: number
  readonly restoreBefore?: { readonly step: number; readonly parallelism: number }
  readonly tags?: readonly string[]
}

/** Runs an operator of two keyed inputs over a script, as subtasks would. For tests. */
export async function runScript(
  factory: OperatorFactory,
  steps: readonly ScriptStep[],
  options: ScriptOptions = {},
): Promise<readonly ScriptOutput[]> {
  const outputs: ScriptOutput[] = []
  const watermarks = { left: MIN_WATERMARK, right: MIN_WATERMARK }
  const now = (): number => Math.min(watermarks.left, watermarks.right)
  const start = async (parallelism: number, restored?: readonly HarnessSnapshot[]) =>
    Promise.all(
      Array.from({ length: parallelism }, async (_, subtaskIndex) => {
        const harness: OperatorHarness = new OperatorHarness(factory, {
          parallelism,
          subtaskIndex,
          ...(restored === undefined ? {} : { restored: partOf(restored, subtaskIndex, parallelism) }),
          onEmit: ({ value, timestamp }) => {
            const tag = [...harness.sideOutputs].find(([, list]) => list.at(-1)?.value === value)?.[0]
            outputs.push({ tag, value, timestamp, watermark: now() })
          },
        })
        return harness.open()
      }),
    )
  let harnesses = await start(options.parallelism ?? 1)
  const advance = (): void => {
    for (const harness of harnesses) harness.advance(now())
  }
  for (const [i, step] of steps.entries()) {
    if (options.restoreBefore?.step === i) {
      const snapshots = await Promise.all(harnesses.map(harness => harness.snapshot(i)))
      for (const harness of harnesses) await harness.operator.close?.()
      harnesses = await start(options.restoreBefore.parallelism, snapshots)
      // Sources repeat their watermark after a restore.
      if (now() > MIN_WATERMARK) advance()
    }
    if ('watermark' in step) {
      watermarks[step.input] = step.watermark
      if (now() > MIN_WATERMARK) advance()
      continue
    }
    const harness = harnesses[subtaskOf(step.key, harnesses.length)] as OperatorHarness
    if (step.input === 'left') harness.push(step, step.ts)
    else harness.pushSecond(step, step.ts)
  }
  watermarks.left = MAX_WATERMARK
  watermarks.right = MAX_WATERMARK
  advance()
  for (const harness of harnesses) {
    await harness.operator.finish?.()
    await harness.operator.close?.()
  }
  return outputs
}

function subtaskOf(key: unknown, parallelism: number): number {
  return [...String(key)].reduce((sum, char) => sum + char.charCodeAt(0), 0) % parallelism
}

/** What one subtask gets of the snapshots of all. */
function partOf(
  snapshots: readonly HarnessSnapshot[],
  subtask: number,
  parallelism: number,
): HarnessSnapshot {
  const mine = (key: unknown): boolean => subtaskOf(key, parallelism) === subtask
  const [first] = snapshots as [HarnessSnapshot]
  return {
    ...first,
    keyed: {
      states: snapshots.flatMap(({ keyed }) => keyed.states.filter(({ key }) => mine(key))),
      timers: snapshots.flatMap(({ keyed }) => keyed.timers.filter(({ entry }) => mine(entry.key))),
    },
  }
}
