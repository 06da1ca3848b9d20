// What `npm start` does after set-up: a local cluster, the flight example on it, and how to go on. Obeys FLINK_CONF_DIR,
// FLINK_LOG_DIR and FLINK_PID_DIR as the scripts in bin/ do; the example writes below the working directory.
import { spawnSync } from 'node:child_process'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = name => join(root, 'bin', name)
const example = join(root, 'examples/flight-delays/src/job.ts')
// Both slots of the default configuration.
const run = ['run', '-p', '2']

// The scripts in bin/ own the pid files and the configuration: they are asked, not imitated.
const ask = script =>
  spawnSync('bash', ['-c', `set -euo pipefail; . "$0/config.sh"; . "$0/daemon.sh"; ${script}`, bin('')], {
    encoding: 'utf8',
  }).stdout.trim()
const execute = (command, ...args) => spawnSync(command, args, { stdio: 'inherit' }).status ?? 1

if (ask('running_pids standalonesession'))
  console.log('A cluster of this installation runs already: using it.')
else if (execute(bin('start-cluster.sh')) !== 0) process.exit(1)

const status = execute(bin('flink'), ...run, example)
const rest = ask('echo "http://$(config_value rest.address localhost):$(config_value rest.port 8081)"')
console.log(`
The cluster keeps running.
  web page:               ${rest}/
  REST API:               ${rest}/jobs/overview
  run the example again:  ${['bin/flink', ...run, relative(root, example)].join(' ')}
  logs:                   ${ask('echo "$FLINK_LOG_DIR"')}
  stop the cluster:       npm stop`)
if (status !== 0) console.error(`\nThe example failed (exit code ${status}): see above, and the logs.`)
process.exit(status)
