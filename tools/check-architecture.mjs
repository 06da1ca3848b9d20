// Fails on dependency violations, and also when dependency-cruiser saw fewer files than exist:
// with TypeScript 7 it sees none and reports success.
import { readdirSync } from 'node:fs'
import { cruise } from 'dependency-cruiser'
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

const options = await extractDepcruiseOptions('./.dependency-cruiser.cjs')
const tsConfig = extractTSConfig('tsconfig.base.json')
const { output } = await cruise(['packages'], options, undefined, { tsConfig })
const { modules, summary } = output
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
