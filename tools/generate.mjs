// Runs every generator; with --check each only reports what is out of date.
import { spawnSync } from 'node:child_process'

const generators = [
  'tools/sync-workspaces.mjs',
  'tools/complete-lockfile.mjs',
  '--conditions=@flink-ts/source tools/generate-reference.ts',
]
// Compared by a test of the package, so not here.
const comparedByTests = ['packages/rpc/tools/generate-protocol.ts']
const check = process.argv.includes('--check')

let failed = false
for (const generator of check ? generators : [...generators, ...comparedByTests]) {
  const args = [...generator.split(' '), ...(check ? ['--check'] : [])]
  failed = spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0 || failed
}
process.exit(failed ? 1 : 0)
