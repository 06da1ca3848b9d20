import { parseArgs } from 'node:util'
import { loadWithBug } from './plant-bug.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { alignedScenarioOf, leaderScenarioOf, scenarioOf, unalignedScenarioOf } from './scenario.ts'

// Plants one bug after the other and prints, a line of JSON for each, the first seed that finds it.
const SPECIAL = { leaders: leaderScenarioOf, unaligned: unalignedScenarioOf, aligned: alignedScenarioOf }
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '300' } } })
for (const bug of PLANTED_BUGS) {
  const runScenario = await loadWithBug(bug)
  const scenarioFor = bug.of === undefined ? scenarioOf : SPECIAL[bug.of]
  let found: { readonly seed: number; readonly message: string } | undefined
  for (let seed = 1; seed <= Number(values.seeds) && found === undefined; seed++) {
    const { violation } = await runScenario(scenarioFor(seed))
    if (violation !== undefined) found = { seed, message: violation.message }
  }
  console.log(JSON.stringify({ name: bug.name, ...found }))
}
