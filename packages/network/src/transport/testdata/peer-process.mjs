// A producing process: registers one channel, tells its data port, and writes until it is killed.
import { Doorbell } from '../../ring/doorbell.ts'
import { allocateRing } from '../../ring/ring-layout.ts'
import { createChannelWriter } from '../../channel/ring-channel-writer.ts'
import { NetworkThreadClient } from '../network-thread-client.ts'

const client = new NetworkThreadClient()
const { port } = await client.start()
const bell = Doorbell.allocate()
const ends = { channelId: process.argv[2], ring: allocateRing(), producerBell: bell, consumerBell: client.bell }
const timestamp = new Float64Array([Number.NaN])
const writer = createChannelWriter(ends, { timestamp })
client.openOutbound(ends)
process.send({ port })

let n = 0
const turn = () => {
  for (let i = 0; i < 100 && writer.available(); i++) writer.write({ n: n++ })
  writer.flush()
  setImmediate(turn)
}
turn()
