// Bids from one thread to another, encoding and decoding included:
// node benchmarks/bench/exchange.ts <threads | processes> <reference | engine> <records>
// Prints million records a second, by the clock and of CPU time over all threads, from the middle to the end.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { allocateRing, type ChannelEnds, Doorbell, NetworkThreadClient } from '@flink-ts/network'
import {
  allocateSegments,
  consumeByEngine,
  consumeBySegments,
  consumeByTcp,
  produceByEngine,
  produceBySegments,
  produceByTcp,
  type SegmentRing,
} from './exchange-roles.ts'

/** What channels between TaskManagers get by default. */
const REMOTE_RING_BYTES = 512 * 1024

type Job = { readonly role: 'produce' | 'consume'; readonly count: number } & (
  | { readonly ends: ChannelEnds }
  | { readonly segments: SegmentRing }
)

/** In a worker thread. */
async function work(job: Job): Promise<void> {
  const half = (): void => parentPort?.postMessage('half')
  // A wait for a bell alone would not keep the thread alive.
  const alive = setInterval(() => {}, 1000)
  if ('segments' in job) {
    if (job.role === 'produce') produceBySegments(job.segments, job.count)
    else consumeBySegments(job.segments, job.count, half)
  } else if (job.role === 'produce') await produceByEngine(job.ends, job.count)
  else await consumeByEngine(job.ends, job.count, half)
  clearInterval(alive)
}

function start(job: Job): Worker {
  return new Worker(new URL(import.meta.url), { workerData: job })
}

function print(records: number, wallMs: number, cpuMicros: number): void {
  console.log(JSON.stringify({ wall: records / wallMs / 1000, cpu: records / cpuMicros }))
}

const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function betweenThreads(kind: string, count: number): Promise<void> {
  const segments = allocateSegments()
  const ends: ChannelEnds = {
    channelId: 'bench',
    ring: allocateRing(),
    producerBell: Doorbell.allocate(),
    consumerBell: Doorbell.allocate(),
  }
  const carrier = kind === 'reference' ? { segments } : { ends }
  const consumer = start({ role: 'consume', count, ...carrier })
  const producer = start({ role: 'produce', count, ...carrier })
  await once(consumer, 'message')
  const [wall, cpu] = [performance.now(), cpuMicros()]
  await once(consumer, 'exit')
  print(count / 2, performance.now() - wall, cpuMicros() - cpu)
  await producer.terminate()
}

/** One of two processes; tells its parent what it must know. */
async function side(role: 'produce' | 'consume', kind: string, count: number, port: number): Promise<void> {
  const tell = (message: object): void => {
    process.send?.({ ...message, cpu: cpuMicros() })
  }
  const half = (): void => tell({ half: true })
  if (kind === 'reference') {
    if (role === 'produce') await produceByTcp(count, bound => tell({ port: bound }))
    else await consumeByTcp(port, count, half)
  } else {
    const network = new NetworkThreadClient()
    const bound = await network.start()
    const own = Doorbell.allocate()
    const ring = allocateRing(REMOTE_RING_BYTES)
    const bells =
      role === 'produce'
        ? { producerBell: own, consumerBell: network.bell }
        : { producerBell: network.bell, consumerBell: own }
    const ends: ChannelEnds = { channelId: 'bench', ring, ...bells }
    if (role === 'produce') network.openOutbound(ends)
    else network.openInbound(ends, `127.0.0.1:${port}`)
    const worker = start({ role, count, ends })
    worker.on('message', half)
    tell({ port: bound.port })
    await once(worker, 'exit')
    if (role === 'consume') await network.close()
  }
  tell({ done: true })
}

interface Message {
  readonly port?: number
  readonly half?: true
  readonly done?: true
  readonly cpu: number
}

async function betweenProcesses(kind: string, count: number): Promise<void> {
  const child = (role: string, port: number): ChildProcess =>
    fork(import.meta.filename, ['side', role, kind, String(count), String(port)])
  const until = async (process_: ChildProcess, what: (message: Message) => unknown): Promise<Message> => {
    for (;;) {
      const [message] = (await once(process_, 'message')) as [Message]
      if (what(message)) return message
    }
  }
  const producer = child('produce', 0)
  const { port = 0 } = await until(producer, message => message.port)
  const consumer = child('consume', port)
  const asked = async (): Promise<number> => {
    producer.send('cpu')
    return (await until(producer, () => true)).cpu
  }
  const half = await until(consumer, message => message.half)
  const [wall, producerCpu] = [performance.now(), await asked()]
  const done = await until(consumer, message => message.done)
  const wallMs = performance.now() - wall
  print(count / 2, wallMs, done.cpu - half.cpu + (await asked()) - producerCpu)
  for (const one of [producer, consumer]) one.kill()
}

if (!isMainThread) await work(workerData as Job)
else if (process.argv[2] === 'side') {
  const [role, kind, count, port] = process.argv.slice(3)
  process.on('message', () => process.send?.({ cpu: cpuMicros() }))
  await side(role as 'produce' | 'consume', kind as string, Number(count), Number(port))
} else {
  const [where, kind, records] = process.argv.slice(2)
  // Whole batches of every kind.
  const count = Math.ceil(Number(records) / 10_240) * 10_240
  await (where === 'threads' ? betweenThreads : betweenProcesses)(kind as string, count)
}
