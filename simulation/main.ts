import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { reduceScenario } from './reduce-scenario.ts'
import { runScenario } from './run-scenario.ts'
import { leaderScenarioOf, type Scenario, scenarioOf, unalignedScenarioOf } from './scenario.ts'

const USAGE = `Runs simulated clusters in virtual time and checks what must always hold.

  npm run simulate -- --seeds 1000 [--from 1]   seeds 1 to 1000; ends at the first that fails
  npm run simulate -- --seed 17 [--trace]       one seed again, with everything that is logged
  npm run simulate -- --seed 17 --faults 0,3    with these of its faults only
  npm run simulate -- --leaders --seeds 1000    with two JobManagers and faults that concern who leads
  npm run simulate -- --unaligned --seeds 1000  with unaligned checkpoints only, and records on their way
  npm run simulate -- --file scenario.json      a scenario that was written down; also with --trace
  npm run simulate -- --regressions             all of simulation/regressions: what once failed`

/** What kind of scenarios is asked for by. */
const OPTIONS = new Map([
  [leaderScenarioOf, '--leaders '],
  [unalignedScenarioOf, '--unaligned '],
])

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      faults: { type: 'string' },
      file: { type: 'string' },
      leaders: { type: 'boolean', default: false },
      unaligned: { type: 'boolean', default: false },
      regressions: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      'keep-going': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { seed, seeds, file, regressions } = values
  const special = values.unaligned ? unalignedScenarioOf : scenarioOf
  const scenarioFor = values.leaders ? leaderScenarioOf : special
  if (values.help || (seed === undefined && seeds === undefined && file === undefined && !regressions)) {
    console.log(USAGE)
    return values.help ? 0 : 2
  }
  if (regressions && (await runRegressions()) > 0) return 1
  if (file !== undefined) return await replay(readScenario(file), values.trace)
  if (seed !== undefined) {
    const whole = scenarioFor(integer('--seed', seed))
    return await replay(withFaults(whole, values.faults), values.trace)
  }
  if (seeds === undefined) return 0
  const many = { from: integer('--from', values.from), seeds: integer('--seeds', seeds) }
  return await runMany({ ...many, scenarioFor, keepGoing: values['keep-going'] })
}

/** @returns how many fail */
async function runRegressions(): Promise<number> {
  const folder = new URL('./regressions/', import.meta.url)
  let failed = 0
  const names = readdirSync(folder).sort()
  for (const name of names) {
    const { violation } = await runScenario(readScenario(new URL(name, folder)))
    if (violation === undefined) continue
    failed++
    console.log(`${name}: ${violation.message}`)
    console.log(`again: npm run simulate -- --file simulation/regressions/${name} --trace`)
  }
  console.log(`${names.length - failed} of ${names.length} scenarios that once failed hold`)
  return failed
}

/** A file with a scenario, under `scenario` beside what it found. */
function readScenario(file: string | URL): Scenario {
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly scenario: Scenario }).scenario
}

async function replay(scenario: Scenario, trace: boolean): Promise<number> {
  console.log(JSON.stringify(scenario, undefined, 2))
  const { violation, virtualMs, events } = await runScenario(
    scenario,
    trace ? line => console.log(line) : undefined,
  )
  console.log(
    `${Math.round(virtualMs)} virtual ms, ${events} events: ${violation?.message ?? 'everything holds'}`,
  )
  return violation === undefined ? 0 : 1
}

async function runMany(options: {
  readonly from: number
  readonly seeds: number
  readonly scenarioFor: (seed: number) => Scenario
  readonly keepGoing: boolean
}): Promise<number> {
  const { from, seeds, scenarioFor, keepGoing } = options
  const startedMs = performance.now()
  let virtualMs = 0
  let failed = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const scenario = scenarioFor(seed)
    const outcome = await runScenario(scenario)
    virtualMs += outcome.virtualMs
    if (outcome.violation === undefined) continue
    failed++
    console.log(`seed ${seed}: ${outcome.violation.message}`)
    if (keepGoing) continue
    const kept = await reduceScenario(scenario, outcome.violation.invariant)
    const reduced = { ...scenario, faults: kept.map(index => scenario.faults[index]!) }
    console.log(`reduced to ${JSON.stringify({ found: outcome.violation.invariant, scenario: reduced })}`)
    const faults = kept.length === 0 ? "''" : kept.join(',')
    console.log(
      `again: npm run simulate -- ${OPTIONS.get(scenarioFor) ?? ''}--seed ${seed} --faults ${faults} --trace`,
    )
    return 1
  }
  const seconds = (performance.now() - startedMs) / 1000
  const rate = Math.round((seeds / seconds) * 60)
  console.log(
    `${seeds} seeds in ${seconds.toFixed(1)} s (${rate} a minute), ${Math.round(virtualMs / 1000)} s of virtual time: ` +
      (failed === 0 ? 'everything holds' : `${failed} failed`),
  )
  return failed === 0 ? 0 : 1
}

function withFaults(scenario: Scenario, indexes: string | undefined): Scenario {
  if (indexes === undefined) return scenario
  const kept = indexes === '' ? [] : indexes.split(',').map(index => integer('--faults', index))
  return { ...scenario, faults: kept.flatMap(index => scenario.faults[index] ?? []) }
}

function integer(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} takes whole numbers, not '${text}'`)
  return value
}

process.exitCode = await main()
