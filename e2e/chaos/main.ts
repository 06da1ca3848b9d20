import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { ChaosReport, ChaosResult } from './chaos-report.ts'
import { FAULT_KINDS, type FaultKind, isOperation, type PlannedFault } from './fault-plan.ts'
import { runChaos } from './run-chaos.ts'
import { WORKLOADS } from './workloads.ts'

const USAGE = `Runs jobs on real processes, kills, freezes and cuts them off, and compares every row that they write.

  npm run chaos -- --minutes 10 [--seed 17]     faults that the seed decides; without a seed a new one
  npm run chaos -- --schedule result.json       the faults of a run before
  npm run chaos -- --kinds kill-taskmanager,rescale --jobs counts,join --minutes 1

  --result <file>   where the result goes (chaos-result.json)

Kinds of faults: ${FAULT_KINDS.join(', ')}
Jobs: ${Object.keys(WORKLOADS).join(', ')}
Linux only. A full disk is a real one with FLINK_TEST_SYSTEM=1 as root, feigned otherwise.`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      kinds: { type: 'string', default: FAULT_KINDS.join(',') },
      jobs: { type: 'string', default: Object.keys(WORKLOADS).join(',') },
      schedule: { type: 'string' },
      result: { type: 'string', default: 'chaos-result.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const seed = number('--seed', values.seed)
  const minutes = number('--minutes', values.minutes)
  const schedule =
    values.schedule === undefined
      ? undefined
      : (JSON.parse(readFileSync(values.schedule, 'utf8')) as { schedule: readonly PlannedFault[] }).schedule
  // What was started and mounted is ended and removed at the exit.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130))
  console.log(`chaos for ${minutes} min with --seed ${seed}`)
  const result = await runChaos({
    seed,
    seconds: minutes * 60,
    lanes: oneOf('--jobs', values.jobs, Object.keys(WORKLOADS)),
    kinds: oneOf('--kinds', values.kinds, FAULT_KINDS) as readonly FaultKind[],
    pauseMs: [500, 6000],
    patienceMs: 60_000,
    jobSeconds: [10, 40],
    ...(schedule !== undefined && { schedule }),
    say: line => console.log(process.stdout.isTTY ? `\r\x1b[K${line}` : line),
    ...(process.stdout.isTTY && { progress: showProgress(minutes) }),
  })
  mkdirSync(dirname(values.result), { recursive: true })
  writeFileSync(values.result, `${JSON.stringify(result, undefined, 2)}\n`)
  print(result, values.result)
  if (result.jobs === 0 || result.schedule.every(({ target }) => target === undefined)) {
    console.log('nothing was proven: no job came to its end, or no fault hit anybody; give it more --minutes')
    return 1
  }
  return result.failures.length + result.leftBehind.length === 0 ? 0 : 1
}

function showProgress(minutes: number): (report: ChaosReport) => void {
  return report => {
    const { elapsedMs, faults, jobs, failures } = report
    const time = `${Math.round(elapsedMs / 1000)} of ${Math.round(minutes * 60)} s`
    process.stdout.write(`\r\x1b[K${time}: ${faults} faults, ${jobs} jobs right, ${failures} failures`)
  }
}

function print(result: ChaosResult, file: string): void {
  const { faults, recoveryMs, operations, failures, leftBehind } = result
  console.log(`\n${'fault'.padEnd(20)}${['times', 'p50 ms', 'p99 ms', 'max ms'].map(pad).join('')}`)
  for (const [kind, { p50, p99, max }] of Object.entries(recoveryMs)) {
    const hit = Object.entries(faults).filter(([name]) => !isOperation(name as FaultKind))
    const times = kind === 'all' ? hit.reduce((sum, [, count]) => sum + count, 0) : faults[kind]
    console.log(`${kind.padEnd(20)}${[times, p50, p99, max].map(pad).join('')}`)
  }
  console.log(`jobs whose rows are all right: ${result.jobs}; operations: ${JSON.stringify(operations)}`)
  for (const one of leftBehind) console.log(`left behind: ${one}`)
  for (const failure of failures) console.log(`FAILED: ${failure}`)
  if (failures.length > 0) {
    console.log(
      `again: npm run chaos -- --minutes ${Math.ceil(result.durationMs / 60_000)} --seed ${result.seed}`,
    )
    console.log(`or: npm run chaos -- --schedule ${file}`)
  }
  console.log(`the schedule of all faults is in ${file}`)
}

const pad = (value: string | number | undefined): string => String(value ?? '').padStart(10)

function number(name: string, text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`${name} takes a number, not '${text}'`)
  return value
}

function oneOf(name: string, text: string, known: readonly string[]): readonly string[] {
  const names = text.split(',')
  const unknown = names.filter(each => !known.includes(each))
  if (unknown.length === 0) return names
  throw new Error(`${name}: ${unknown.join(', ')} is not known; there are ${known.join(', ')}`)
}

process.exitCode = await main()
