import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const SSHD = '/usr/sbin/sshd'

/** Why hosts can't be made on this machine; undefined: they can. What changes the system is done only where it may be. */
export function whyNoHosts(): string | undefined {
  const { CI, FLINK_TEST_SYSTEM } = process.env
  if (CI !== 'true' && FLINK_TEST_SYSTEM !== '1') return 'changes the system: set FLINK_TEST_SYSTEM=1'
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root'
  if (!existsSync(SSHD)) return 'needs sshd: see .ci/system-packages'
  const probe = `flk-probe-${process.pid}`
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' })
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `network namespaces are refused: ${(error as Error).message}`
  }
}

interface Result {
  readonly code: number | null
  readonly out: string
}

/**
 * Hosts on one machine: network namespaces on a bridge, each with its own name, process ids, `/run` and sshd. They share
 * the file system, but each has a folder of its own at {@link home}. The machine itself reaches them, too.
 */
export class NetworkHosts {
  /** The same path on every host, a folder of its own on each. */
  readonly home: string
  /** For FLINK_SSH_OPTS. */
  readonly sshOptions: string
  readonly #folder: string
  readonly #names: readonly string[]
  readonly #net: number
  readonly #sshd: ChildProcess[] = []

  private constructor(folder: string, names: readonly string[]) {
    this.#folder = folder
    this.#names = names
    this.#net = 16 + (process.pid % 200)
    this.home = join(folder, 'home')
    this.sshOptions = `-F ${join(folder, 'ssh_config')}`
  }

  /** @param folder empty; removed by its owner after {@link close} */
  static async start(folder: string, names: readonly string[]): Promise<NetworkHosts> {
    const hosts = new NetworkHosts(folder, names)
    try {
      hosts.#makeKeys()
      hosts.#makeNetwork()
      for (const name of names) hosts.#startHost(name)
      await hosts.#answer()
      return hosts
    } catch (error) {
      await hosts.close()
      throw error
    }
  }

  address(name: string): string {
    return `10.77.${this.#net}.${11 + this.#names.indexOf(name)}`
  }

  /** The folder that a host has at {@link home}, as this machine sees it. */
  folderOf(name: string): string {
    return join(this.#folder, name)
  }

  /** Runs a command of the shell on a host, as somebody who has logged in there. */
  async run(name: string, command: string): Promise<Result> {
    const child = spawn('ssh', ['-n', ...this.sshOptions.split(' '), name, command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', data => (out += data))
    child.stderr.setEncoding('utf8').on('data', data => (out += data))
    const code = await new Promise<number | null>(done => child.on('close', done))
    return { code, out }
  }

  /** Nothing reaches the host any more, and nobody is told. */
  cut(name: string): void {
    ip(`link set ${this.#link(name)} down`)
  }

  heal(name: string): void {
    ip(`link set ${this.#link(name)} up`)
  }

  /** Ends all processes of all hosts. */
  async close(): Promise<void> {
    for (const child of this.#sshd.splice(0)) {
      const gone = new Promise(done => child.once('exit', done))
      // Its namespace of processes ends with it.
      if (child.exitCode === null && child.kill('SIGKILL')) await gone
    }
    for (const name of this.#names) attempt(`netns del ${this.#namespace(name)}`)
    attempt(`link del ${this.#bridge}`)
  }

  get #bridge(): string {
    return `flk${process.pid}`
  }
  #namespace(name: string): string {
    return `flk${process.pid}-${name}`
  }
  #link(name: string): string {
    return `fl${process.pid}.${this.#names.indexOf(name)}`
  }

  #makeKeys(): void {
    mkdirSync(this.home, { recursive: true })
    for (const key of ['id', 'host_key']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#folder, key)])
    }
    const names = this.#names.map(name => `Host ${name}\n  HostName ${this.address(name)}\n`)
    const common = {
      User: 'root',
      IdentityFile: join(this.#folder, 'id'),
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ConnectTimeout: 10,
    }
    const lines = Object.entries(common).map(([key, value]) => `  ${key} ${value}\n`)
    writeFileSync(join(this.#folder, 'ssh_config'), `${names.join('')}Host *\n${lines.join('')}`)
    const hosts = this.#names.map(name => `${this.address(name)} ${name}\n`)
    writeFileSync(join(this.#folder, 'hosts'), `127.0.0.1 localhost\n${hosts.join('')}`)
  }

  #makeNetwork(): void {
    ip(`link add ${this.#bridge} type bridge`)
    ip(`addr add 10.77.${this.#net}.1/24 dev ${this.#bridge}`)
    ip(`link set ${this.#bridge} up`)
    for (const name of this.#names) {
      const namespace = this.#namespace(name)
      ip(`netns add ${namespace}`)
      ip(`link add ${this.#link(name)} type veth peer name eth0 netns ${namespace}`)
      ip(`link set ${this.#link(name)} master ${this.#bridge} up`)
      ip(`-n ${namespace} addr add ${this.address(name)}/24 dev eth0`)
      ip(`-n ${namespace} link set eth0 up`)
      ip(`-n ${namespace} link set lo up`)
    }
  }

  #startHost(name: string): void {
    const folder = this.#folder
    mkdirSync(this.folderOf(name), { recursive: true })
    const config = {
      ListenAddress: this.address(name),
      HostKey: join(folder, 'host_key'),
      PidFile: 'none',
      AuthorizedKeysFile: join(folder, 'id.pub'),
      StrictModes: 'no',
      PasswordAuthentication: 'no',
      KbdInteractiveAuthentication: 'no',
      PermitRootLogin: 'prohibit-password',
      UsePAM: 'no',
      // What a host has: the programs of its system, and Node.js.
      SetEnv: `PATH=${dirname(process.execPath)}:/usr/bin:/bin`,
    }
    const lines = Object.entries(config).map(([key, value]) => `${key} ${value}\n`)
    writeFileSync(join(folder, `${name}.sshd_config`), lines.join(''))
    const script = [
      `hostname ${name}`,
      `mount --bind '${join(folder, 'hosts')}' /etc/hosts`,
      `mount --bind '${this.folderOf(name)}' '${this.home}'`,
      'mount -t tmpfs none /run',
      'mkdir /run/sshd',
      `exec ${SSHD} -D -f '${join(folder, `${name}.sshd_config`)}' -E '${join(folder, `${name}.log`)}'`,
    ].join(' && ')
    const own = ['unshare', '--uts', '--pid', '--fork', '--kill-child', '--mount', '--mount-proc']
    const args = ['netns', 'exec', this.#namespace(name), ...own, 'sh', '-c', script]
    this.#sshd.push(spawn('ip', args, { stdio: 'ignore' }))
  }

  async #answer(): Promise<void> {
    const deadline = Date.now() + 30_000
    for (const name of this.#names) {
      for (;;) {
        const { code, out } = await this.run(name, 'true')
        if (code === 0) break
        if (Date.now() > deadline) {
          const log = join(this.#folder, `${name}.log`)
          throw new Error(
            `${name} does not answer: ${out}${existsSync(log) ? readFileSync(log, 'utf8') : ''}`,
          )
        }
        await pause(50)
      }
    }
  }
}

function ip(command: string): void {
  execFileSync('ip', command.split(' '), { stdio: 'pipe' })
}

/** While cleaning up: what was never made is not there. */
function attempt(command: string): void {
  try {
    ip(command)
  } catch {
    // Not there.
  }
}
