import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../harness/free-port.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'
import { TestCluster } from '../harness/test-cluster.ts'
import { SmallDisk } from './small-disk.ts'

/** The control connections of JobManagers and the data connections of TaskManagers go through proxies there. */
const PROXY_HOST = '127.0.0.2'

/** A process of the cluster with the proxy in front of it. */
export interface Member {
  readonly process: ChildProcess
  readonly proxy: TcpProxy
  frozen: boolean
}

export interface JobManagerMember extends Member {
  readonly restPort: number
}

export interface TaskManagerMember extends Member {
  readonly resourceId: string
}

/** Two JobManagers, some TaskManagers, one folder for all that they store. */
export class ChaosCluster {
  readonly folder: string
  readonly cluster: TestCluster
  readonly jobManagers: JobManagerMember[] = []
  readonly taskManagers: TaskManagerMember[] = []
  readonly #disk: SmallDisk | undefined
  #proxies: TcpProxy[] = []
  /** By `performance.now()`. */
  #fullUntil = -1
  #stopped = false

  private constructor(folder: string, cluster: TestCluster, disk: SmallDisk | undefined) {
    this.folder = folder
    this.cluster = cluster
    this.#disk = disk
  }

  static async start(options: { taskManagers: number; slots: number }): Promise<ChaosCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'flink-chaos-'))
    const storage = join(folder, 'storage')
    mkdirSync(storage)
    const disk = SmallDisk.isAllowed() ? SmallDisk.mount(storage, 256) : undefined
    const giveUp = (): void => {
      disk?.unmount()
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', giveUp)
    try {
      return await ChaosCluster.#startOn(folder, disk, options)
    } catch (error) {
      giveUp()
      throw error
    } finally {
      process.removeListener('exit', giveUp)
    }
  }

  /** What it started when it failed ends with this process. */
  static async #startOn(
    folder: string,
    disk: SmallDisk | undefined,
    options: { taskManagers: number; slots: number },
  ): Promise<ChaosCluster> {
    const storage = join(folder, 'storage')
    const first = await jobManagerPlace()
    const cluster = await TestCluster.start({
      taskManagers: 0,
      slots: options.slots,
      highAvailability: true,
      jobManagerProperties: first.properties,
      configuration: {
        'high-availability.storageDir': `file://${storage}/ha`,
        'high-availability.filesystem.leader-election.lease-duration': '6 s',
        'high-availability.filesystem.leader-election.renew-deadline': '5 s',
        'heartbeat.timeout': '4 s',
        'execution.checkpointing.dir': `file://${storage}/checkpoints`,
        'execution.checkpointing.data-inline-threshold': '1 kb',
        'restart-strategy.fixed-delay.attempts': '1000000',
        'taskmanager.host': PROXY_HOST,
      },
      environment: {
        NODE_OPTIONS: `--import=${join(import.meta.dirname, 'storage-faults.ts')}`,
        CHAOS_STORAGE: `${join(folder, 'storage-fault')},${storage}`,
      },
    })
    const chaos = new ChaosCluster(folder, cluster, disk)
    chaos.#proxies.push(first.proxy)
    chaos.jobManagers.push({
      process: cluster.jobManager as ChildProcess,
      proxy: first.proxy,
      restPort: cluster.restPort,
      frozen: false,
    })
    await chaos.startJobManager()
    for (let i = 0; i < options.taskManagers; i++) await chaos.startTaskManager()
    await cluster.waitForSlots(options.taskManagers * options.slots, 60_000)
    return chaos
  }

  get storage(): string {
    return join(this.folder, 'storage')
  }

  async startJobManager(): Promise<void> {
    const { proxy, properties } = await jobManagerPlace()
    this.#proxies.push(proxy)
    const restPort = await freePort()
    const process = this.cluster.startAnotherJobManager(restPort, properties)
    const member: JobManagerMember = { process, proxy, restPort, frozen: false }
    this.jobManagers.push(member)
    const startedAt = performance.now()
    process.once('exit', () => {
      // Without room it refuses to start, and its supervisor tries again.
      if (!this.jobManagers.includes(member) || this.#stopped || this.#fullUntil < startedAt) return
      this.jobManagers.splice(this.jobManagers.indexOf(member), 1)
      // Never rejects, but if this process has no ports left.
      void proxy.close().then(() => this.startJobManager())
    })
  }

  async startTaskManager(): Promise<void> {
    const port = await freePort()
    const proxy = await TcpProxy.start(port, port, PROXY_HOST)
    this.#proxies.push(proxy)
    const process = this.cluster.startTaskManager([`-Dtaskmanager.data.port=${port}`])
    this.taskManagers.push({ process, proxy, resourceId: process.resourceId, frozen: false })
  }

  /** Ends a process with SIGKILL and forgets it. */
  async kill(member: Member): Promise<void> {
    for (const members of [this.jobManagers, this.taskManagers] as Member[][]) {
      const at = members.indexOf(member)
      if (at >= 0) members.splice(at, 1)
    }
    const exited = new Promise(resolve => member.process.once('exit', resolve))
    member.process.kill('SIGKILL')
    await exited
    this.#proxies = this.#proxies.filter(proxy => proxy !== member.proxy)
    await member.proxy.close()
  }

  /** Process id and epoch of the JobManager that leads, or did so last. */
  leader(): { readonly pid: number; readonly epoch: number } | undefined {
    const folder = join(this.storage, 'ha/default/leader')
    try {
      const names = readdirSync(folder).filter(name => name.startsWith('epoch-'))
      const name = names.sort().at(-1)
      if (name === undefined) return undefined
      const { holder } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { holder: { pid: number } }
      return { pid: holder.pid, epoch: Number(name.slice('epoch-'.length)) }
    } catch {
      return undefined // removed or written at this moment
    }
  }

  /** Process ids of all job hosts. */
  jobHosts(): readonly number[] {
    return this.jobManagers.flatMap(({ process }) => this.cluster.jobHosts(process.pid))
  }

  /** Answer of any JobManager that answers. */
  async rest<T>(path: string): Promise<T | undefined> {
    for (const { restPort, frozen } of this.jobManagers) {
      if (frozen) continue
      this.cluster.restPort = restPort
      const answer = await this.cluster.rest<T>(path)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  /** @param fault `slow <ms>`, `full`; undefined: nothing is wrong any more */
  set storageFault(fault: string | undefined) {
    const control = join(this.folder, 'storage-fault')
    if (fault === 'full') this.#fullUntil = Infinity
    else if (this.#fullUntil === Infinity) this.#fullUntil = performance.now()
    if (this.#disk !== undefined) {
      if (fault === 'full') this.#disk.fill()
      else this.#disk.empty()
    }
    if (fault === undefined || (fault === 'full' && this.#disk !== undefined))
      rmSync(control, { force: true })
    else writeFileSync(control, fault)
  }

  /** Ends all processes and proxies. @returns what they left behind */
  async stop(): Promise<readonly string[]> {
    this.storageFault = undefined
    this.#stopped = true
    const left = await this.cluster.stop(true)
    for (const proxy of this.#proxies.splice(0)) await proxy.close()
    return [...left, ...processesOf(this.folder), ...processesOf(this.cluster.folder)]
  }

  /** Copies what is on the small disk, and gives that back; after {@link stop}. */
  keep(): void {
    if (this.#disk === undefined) return
    cpSync(this.storage, join(this.folder, 'stored'), { recursive: true })
    this.#disk.unmount()
  }

  /** Removes all that was stored; after {@link stop}. */
  remove(): void {
    this.#disk?.unmount()
    rmSync(this.folder, { recursive: true, force: true })
    rmSync(this.cluster.folder, { recursive: true, force: true })
  }
}

async function jobManagerPlace(): Promise<{ proxy: TcpProxy; properties: readonly string[] }> {
  const port = await freePort()
  const proxy = await TcpProxy.start(port, port, PROXY_HOST)
  const properties = [
    `-Djobmanager.rpc.address=${PROXY_HOST}`,
    '-Djobmanager.bind-host=127.0.0.1',
    `-Dhigh-availability.jobmanager.port=${port}`,
  ]
  return { proxy, properties }
}

/** Processes whose command line or environment names the folder. */
function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
        return command.includes(folder) || environment.includes(folder) ? [`process ${pid} (${command})`] : []
      } catch {
        return [] // it has ended, or is somebody else's
      }
    })
}
