import { lookup } from 'node:dns/promises'
import { createServer } from 'node:net'
import { ClusterClient } from '@flink-ts/client'
import {
  authTokenOf,
  type Configuration,
  isFlinkError,
  JOBMANAGER_RPC_ADDRESS,
  JOBMANAGER_RPC_PORT,
  nullLogger,
  SystemClock,
  SystemRandom,
  VERSION,
} from '@flink-ts/common'
import { jobManagerAccess } from '@flink-ts/highavailability'
import { RestOptionKeys } from '@flink-ts/rest'
import { sessionSettingsOf } from '@flink-ts/rpc'
import type { Finding } from './check-configuration.ts'

/** Clocks may differ by this: the header that tells the other one has seconds. */
const TOLERATED_SKEW_MS = 2000
const REST_TIMEOUT_MS = 2000

/** Whether the JobManager answers, with which TaskManagers; if none does, whether one could be started here. */
export async function checkCluster(configuration: Configuration): Promise<readonly Finding[]> {
  const host = configuration.get(JOBMANAGER_RPC_ADDRESS)
  const port = configuration.get(JOBMANAGER_RPC_PORT)
  const restHost = configuration.toRecord()['rest.address'] ?? host
  const restPort = configuration.get(RestOptionKeys.port)
  const access = jobManagerAccess(configuration)
  // The leader may be anywhere, at any port.
  if (access.elected) return (await askCluster(configuration, access)).findings
  const unresolved = await checkHost(host)
  if (unresolved !== undefined) return [unresolved]
  const cluster = await askCluster(configuration, access)
  if (cluster.answered) {
    return [
      ...cluster.findings,
      await checkClock(`http://${restHost}:${restPort}/config`, authTokenOf(configuration)),
    ]
  }
  const ports = [
    await checkPort(port, host, 'jobmanager.rpc.port'),
    await checkPort(restPort, configuration.get(RestOptionKeys.bindAddress), 'rest.port'),
  ]
  return [...cluster.findings, ...ports]
}

async function checkHost(host: string): Promise<Finding | undefined> {
  try {
    await lookup(host)
    return undefined
  } catch (error) {
    return {
      level: 'problem',
      about: 'JobManager',
      text: `The host ${host} is unknown (${(error as NodeJS.ErrnoException).code}).`,
      remedy: 'Mend jobmanager.rpc.address, or enter the host into DNS or /etc/hosts.',
    }
  }
}

async function askCluster(
  configuration: Configuration,
  { address, through }: ReturnType<typeof jobManagerAccess>,
): Promise<{ readonly answered: boolean; readonly findings: readonly Finding[] }> {
  const about = 'cluster'
  try {
    const client = await ClusterClient.connect(
      { address, version: VERSION, clientName: 'doctor', sessionSettings: sessionSettingsOf(configuration) },
      { clock: new SystemClock(), random: new SystemRandom(), logger: nullLogger, through },
    )
    try {
      const { taskManagers, totalSlots } = await client.overview()
      const text = `${address} answers: flink-ts ${VERSION}, ${taskManagers.length} TaskManagers, ${totalSlots} slots`
      if (totalSlots > 0) return { answered: true, findings: [{ level: 'ok', about, text }] }
      const remedy =
        'Start some with bin/taskmanager.sh start; if they run, their logs say why they are not here.'
      return { answered: true, findings: [{ level: 'warning', about, text, remedy }] }
    } finally {
      await client.close()
    }
  } catch (error) {
    if (!isFlinkError(error)) throw error
    if (error.code !== 'client.no-jobmanager') {
      return { answered: true, findings: [{ level: 'problem', about, text: error.message }] }
    }
    const text = `No JobManager answers at ${address}.`
    const remedy = 'bin/start-cluster.sh starts one on this machine.'
    return { answered: false, findings: [{ level: 'warning', about, text, remedy }] }
  }
}

/** Compares this machine's clock with that of the REST API. */
async function checkClock(url: string, authToken: string | undefined): Promise<Finding> {
  const about = 'clock'
  try {
    const before = Date.now()
    const headers = authToken === undefined ? {} : { authorization: `Bearer ${authToken}` }
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(REST_TIMEOUT_MS) })
    await response.arrayBuffer()
    const here = (before + Date.now()) / 2
    // The header has whole seconds: half a second is the best guess.
    const skewMs = Math.round(Date.parse(response.headers.get('date') ?? '') + 500 - here)
    if (Number.isNaN(skewMs)) return { level: 'warning', about, text: `${url} tells no time.` }
    if (Math.abs(skewMs) <= TOLERATED_SKEW_MS) {
      return {
        level: 'ok',
        about,
        text: `that of the JobManager agrees within ${TOLERATED_SKEW_MS / 1000} s`,
      }
    }
    return {
      level: 'warning',
      about,
      text: `The JobManager's clock is ${Math.abs(skewMs) / 1000} s ${skewMs > 0 ? 'ahead of' : 'behind'} this one.`,
      remedy:
        'Synchronise the clocks of all hosts (chrony, systemd-timesyncd): processing-time windows follow them.',
    }
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    const remedy = 'Mend rest.address and rest.port, or look whether a firewall lies between.'
    return { level: 'warning', about, text: `The REST API at ${url} does not answer (${reason}).`, remedy }
  }
}

/** Whether a server could listen there. A port of another machine cannot be tried. */
async function checkPort(port: number, host: string, key: string): Promise<Finding> {
  const about = 'port'
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host, exclusive: true }, resolve)
    })
    return { level: 'ok', about, text: `${host}:${port} (${key}) is free` }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRNOTAVAIL') {
      return {
        level: 'ok',
        about,
        text: `${host} is another machine; its port ${port} (${key}) cannot be tried`,
      }
    }
    const taken = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be opened (${code})`
    return {
      level: 'problem',
      about,
      text: `${host}:${port} ${taken}.`,
      remedy: `End that program, or set ${key} to a free port.`,
    }
  } finally {
    server.close()
  }
}
