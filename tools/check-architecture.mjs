// Fails on dependency violations, and also when dependency-cruiser saw fewer files than exist:
// with TypeScript 7 it sees none and reports success.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const run = spawnSync(
  process.execPath,
  ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', 'packages', '--output-type', 'json'],
  { encoding: 'utf8', maxBuffer: 2 ** 28 },
)
if (run.stderr) console.error(run.stderr)
if (!run.stdout) process.exit(1)
const { modules, summary } = JSON.parse(run.stdout)
const seen = modules.filter(m => /^packages\/[^/]+\/src\//.test(m.source)).length
const present = readdirSync('packages', { recursive: true })
  .map(path => path.replaceAll('\\', '/'))
  .filter(path => /^[^/]+\/src\/.*\.ts$/.test(path)).length

for (const violation of summary.violations) {
  const cycle = violation.cycle?.map(step => step.name).join(' -> ')
  console.error(`${violation.rule.name}: ${violation.from} -> ${cycle ?? violation.to}`)
}
if (seen < present) console.error(`dependency-cruiser saw ${seen} of ${present} source files`)
console.log(`${seen} files, ${summary.violations.length} violations`)
process.exit(summary.error > 0 || seen < present ? 1 : 0)
