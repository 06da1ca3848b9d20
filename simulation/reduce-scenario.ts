import { type Outcome, runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Invariant } from './violation.ts'

/**
 * Leaves out faults of a failing scenario, one after the other, as long as the same invariant is violated.
 * @param run what runs a scenario
 * @returns the indexes of those that are needed
 */
export async function reduceScenario(
  scenario: Scenario,
  invariant: Invariant,
  run: (scenario: Scenario) => Promise<Pick<Outcome, 'violation'>> = runScenario,
): Promise<readonly number[]> {
  let kept = [...scenario.faults.keys()]
  for (let removed = true; removed; ) {
    removed = false
    for (const candidate of kept) {
      const rest = kept.filter(index => index !== candidate)
      const faults = rest.map(index => scenario.faults[index]!)
      const { violation } = await run({ ...scenario, faults })
      if (violation?.invariant !== invariant) continue
      kept = rest
      removed = true
    }
  }
  return kept
}
