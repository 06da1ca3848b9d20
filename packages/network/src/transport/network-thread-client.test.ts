import { Deferred } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { Doorbell } from '../ring/doorbell.ts'
import { allocateRing } from '../ring/ring-layout.ts'
import { NetworkThreadClient } from './network-thread-client.ts'

/** A network thread that ends with code 3 at the first command. */
const DIES = `import { parentPort } from 'node:worker_threads'
parentPort.once('message', () => process.exit(3))
parentPort.postMessage({ type: 'started', port: 1 })`
const threads = { entryUrl: new URL(`data:text/javascript,${encodeURIComponent(DIES)}`), execArgv: [] }

test('says that the thread ended by itself, after the failures of its channels', async () => {
  const client = new NetworkThreadClient(threads)
  const said: string[] = []
  const lost = new Deferred<Error>()
  client.onChannelFailed((channelId, error) => said.push(`${channelId} ${error.code}`))
  client.onLost(error => {
    said.push('lost')
    lost.resolve(error)
  })
  expect(await client.start()).toEqual({ port: 1 })
  const bell = Doorbell.allocate()
  client.openOutbound({ channelId: 'c', ring: allocateRing(1024), producerBell: bell, consumerBell: bell })
  expect((await lost.promise).message).toMatch(/it exited with code 3\. The TaskManager must be restarted/)
  expect(said).toEqual(['c network.thread-lost', 'lost'])
  await client.close()
})

test('an end that was asked for is no loss', async () => {
  const client = new NetworkThreadClient(threads)
  let lost = 0
  client.onLost(() => lost++)
  await client.start()
  await client.close()
  expect(lost).toBe(0)
})
