// Produces frames of pseudo-random sizes into a ring, woken by its bell when there is no room.
import { parentPort, workerData } from 'node:worker_threads'
import { Doorbell } from '../doorbell.ts'
import { RingProducer } from '../ring-producer.ts'

const { ring, producerBell, consumerBell, frames } = workerData
const producer = new RingProducer(ring)
const own = new Doorbell(producerBell)
const other = new Doorbell(consumerBell)
const keepAlive = setInterval(() => {}, 1000)

let state = 1
for (let i = 0; i < frames; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0
  const size = (state >>> 16) % 40
  let offset = producer.reserve(size)
  while (offset < 0) {
    const ticket = own.ticket()
    producer.awaitRoom()
    offset = producer.reserve(size)
    if (offset < 0) await own.wait(ticket)
  }
  for (let k = 0; k < size; k++) producer.buffer[offset + k] = (state + k) & 255
  if (producer.commit(size, (state & 3) + 1)) other.ring()
}
clearInterval(keepAlive)
parentPort.postMessage('done')
