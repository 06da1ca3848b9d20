import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Finding } from './check-configuration.ts'

const SSH_TIMEOUT_MS = 8000
/** Clocks may differ by this: the other host tells whole seconds. */
const TOLERATED_SKEW_MS = 2000

export interface HostsToCheck {
  /** Folder with `masters` and `workers`. */
  readonly configurationDir: string | undefined
  /** Folder of the installation, the same on every host. */
  readonly home: string | undefined
  /** `FLINK_SSH_OPTS`. */
  readonly sshOptions: string
}

/**
 * The hosts of `conf/masters` and `conf/workers` that are reached by ssh: whether it needs no password there, whether
 * the installation is in the same folder, and whether the clock agrees with this one. All at a time, each for 8 s.
 */
export async function checkHosts(options: HostsToCheck): Promise<readonly Finding[]> {
  const { configurationDir } = options
  if (configurationDir === undefined) return []
  const lines = ['masters', 'workers'].flatMap(name => hostsIn(join(configurationDir, name)))
  const remote = [...new Set(lines.map(line => line.replace(/:\d+$/, '')))].filter(host => !isLocal(host))
  return (await Promise.all(remote.map(host => checkHost(host, options)))).flat()
}

function hostsIn(file: string): readonly string[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => line !== '')
}

function isLocal(host: string): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap(
    list => list?.map(({ address }) => address) ?? [],
  )
  return ['localhost', hostname(), ...addresses].includes(host)
}

async function checkHost(host: string, { home, sshOptions }: HostsToCheck): Promise<readonly Finding[]> {
  const about = `host ${host}`
  const script = home === undefined ? '' : `${home}/bin/taskmanager.sh`
  const ask = `date +%s; test -z '${script}' -o -x '${script}' && echo installed`
  const ssh = [
    '-n',
    ...sshOptions.split(/\s+/).filter(Boolean),
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=5',
  ]
  const before = Date.now()
  const { output, failure } = await run('ssh', [...ssh, host, ask])
  const here = (before + Date.now()) / 2
  const [seconds = '', installed] = output.split('\n')
  if (!/^\d+$/.test(seconds)) {
    const remedy = `Try: ssh ${sshOptions} ${host} true. It must need no password; options of ssh go into FLINK_SSH_OPTS.`
    return [{ level: 'problem', about, text: `ssh failed (${failure || 'no answer'}).`, remedy }]
  }
  const findings: Finding[] = []
  if (installed !== 'installed') {
    const remedy = `Unpack the installation into ${home} there: it is in the same folder on every host.`
    findings.push({ level: 'problem', about, text: `${script} is not there.`, remedy })
  }
  // Half a second is the best guess for what follows the seconds.
  const skewMs = Number(seconds) * 1000 + 500 - here
  if (Math.abs(skewMs) > TOLERATED_SKEW_MS) {
    const text = `Its clock is ${Math.abs(skewMs / 1000).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'} this one.`
    const remedy =
      'Synchronise the clocks of all hosts (chrony, systemd-timesyncd): processing-time windows follow them.'
    findings.push({ level: 'warning', about, text, remedy })
  }
  if (findings.length > 0) return findings
  return [{ level: 'ok', about, text: 'ssh needs no password, the installation is there, the clocks agree' }]
}

/** What was printed whatever the exit code; the last line of the errors if there is nothing else. */
function run(
  command: string,
  args: readonly string[],
): Promise<{ readonly output: string; readonly failure: string }> {
  return new Promise(resolve => {
    execFile(command, [...args], { timeout: SSH_TIMEOUT_MS }, (error, stdout, stderr) => {
      const line = stderr.trim().split('\n').at(-1) ?? ''
      resolve({ output: stdout, failure: line === '' && error !== null ? error.message : line })
    })
  })
}
