// Runs every generator; with --check each only reports what is out of date.
import { spawnSync } from 'node:child_process'

const generators = ['tools/sync-workspaces.mjs', 'tools/complete-lockfile.mjs']

let failed = false
for (const generator of generators) {
  const { status } = spawnSync(process.execPath, [generator, ...process.argv.slice(2)], { stdio: 'inherit' })
  failed ||= status !== 0
}
process.exit(failed ? 1 : 0)
