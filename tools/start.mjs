// What `npm start` does after set-up: a local cluster, the flight example on it, and how to go on.
import { spawnSync } from 'node:child_process'

const example = 'examples/flight-delays/src/job.ts'
// The scripts in bin/ own the pid files and the configuration: they are asked, not imitated.
const ask = script =>
  spawnSync('bash', ['-c', `set -euo pipefail; . bin/config.sh; . bin/daemon.sh; ${script}`], {
    encoding: 'utf8',
  }).stdout.trim()

function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  return status ?? 1
}

if (ask('running_pids standalonesession'))
  console.log('A cluster of this installation runs already: using it.')
else if (run('bin/start-cluster.sh') !== 0) process.exit(1)

const status = run('bin/flink', 'run', example)
const logs = ask('echo "$FLINK_LOG_DIR"')
console.log(`
The cluster keeps running.
  REST API and web page:  ${ask('echo "http://$(config_value rest.address localhost):$(config_value rest.port 8081)"')}
  run the example again:  bin/flink run ${example}
  logs:                   ${logs}
  stop the cluster:       npm stop`)
if (status !== 0) console.error(`\nThe example failed (exit code ${status}): see above, and the logs.`)
process.exit(status)
