// Bids through one channel, encoding and decoding included: between two threads, and over TCP on loopback.
// node --conditions=@flink-ts/source benchmarks/micro/exchange.mjs [million records]
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import {
  allocateRing,
  createChannelReader,
  createChannelWriter,
  createRecordWriter,
  Doorbell,
  NetworkThreadClient,
} from '@flink-ts/network'

const COUNT = Math.round(Number(process.argv[2] ?? 6) * 1e6)

async function main() {
  const bells = () => [Doorbell.allocate(), Doorbell.allocate()]
  {
    const [producerBell, consumerBell] = bells()
    const ends = { channelId: 'ring', ring: allocateRing(), producerBell, consumerBell }
    await run('thread to thread', ends, ends)
  }
  {
    const [producer, consumer] = [new NetworkThreadClient(), new NetworkThreadClient()]
    const [{ port }] = await Promise.all([producer.start(), consumer.start()])
    const [producerBell, consumerBell] = bells()
    const out = { channelId: 'tcp', ring: allocateRing(), producerBell, consumerBell: producer.bell }
    const into = { channelId: 'tcp', ring: allocateRing(), producerBell: consumer.bell, consumerBell }
    producer.openOutbound(out)
    consumer.openInbound(into, `127.0.0.1:${port}`)
    await run('TCP, loopback', out, into)
    await Promise.all([producer.close(), consumer.close()])
  }
}

async function run(name, out, into) {
  const workers = ['produce', 'consume'].map(
    (role, i) =>
      new Worker(new URL(import.meta.url), { workerData: { role, ends: [out, into][i], count: COUNT } }),
  )
  // Half of the records warm up.
  let from, cpu
  await new Promise((resolve, reject) => {
    for (const worker of workers) worker.on('error', reject)
    workers[1].on('message', message => {
      if (message === 'half') [from, cpu] = [performance.now(), process.cpuUsage()]
      else resolve()
    })
  })
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - from) / 1000
  const records = COUNT / 2
  console.log(
    `${name.padEnd(18)} ${(records / seconds / 1e6).toFixed(1)} M records/s, ${(((user + system) * 1000) / records).toFixed(0)} ns CPU a record`,
  )
  await Promise.all(workers.map(worker => worker.terminate()))
}

async function produce({ ends, count }) {
  const url = 'https://www.nexmark.com/abcde/fghij/klmno/item.htm?query=1'
  const bids = Array.from({ length: 4096 }, (_, i) => ({
    auction: 1000 + i,
    bidder: 5000 - i,
    price: i * 3,
    channel: Buffer.from(`channel-${i}`).toString('latin1'),
    url: Buffer.from(`${url}&channel_id=${i}`).toString('latin1'),
    dateTime: 1_700_000_000_000 + i,
  }))
  const writer = createChannelWriter(ends, { timestamp: new Float64Array([Number.NaN]) })
  const push = createRecordWriter({ type: 'forward' }, [writer], { maxParallelism: 128, subtaskIndex: 0 })
  const bell = new Doorbell(ends.producerBell)
  for (let n = 0; n < count; ) {
    const ticket = bell.ticket()
    while (n < count && writer.available()) for (let i = 0; i < 256 && n < count; i++) push(bids[n++ & 4095])
    if (n < count) await bell.wait(ticket)
  }
  for (;;) {
    const ticket = bell.ticket()
    writer.flush()
    if (writer.overdraftBytes === 0) break
    await bell.wait(ticket)
  }
}

async function consume({ ends, count }) {
  const reader = createChannelReader(ends, new Float64Array(1))
  const bell = new Doorbell(ends.consumerBell)
  const keep = new Array(256).fill(null)
  let n = 0
  const handler = {
    record: record => {
      keep[n++ & 255] = record
    },
    event: () => {},
  }
  let half = false
  while (n < count) {
    const ticket = bell.ticket()
    if (reader.poll(512, handler) === 0) await bell.wait(ticket)
    if (!half && n >= count / 2) {
      half = true
      parentPort.postMessage('half')
    }
  }
  parentPort.postMessage('end')
}

if (isMainThread) await main()
else {
  // A wait alone would not keep the thread alive.
  parentPort.ref()
  const alive = setInterval(() => {}, 1000)
  await (workerData.role === 'produce' ? produce(workerData) : consume(workerData))
  clearInterval(alive)
}
