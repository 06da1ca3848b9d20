import type { LeaderSessionId } from '@flink-ts/common'
import type { RpcClient, RpcSession } from '@flink-ts/rpc'
import { expect, test } from 'vitest'
import type { LeaderInformation } from './leader-information.ts'
import { LeaderRpcClient, leaderAddress } from './leader-rpc-client.ts'

const id = (text: string): LeaderSessionId => text as LeaderSessionId

test('the address of the leader is looked up each time, and the process there must be the one that was meant', async () => {
  let current: LeaderInformation | undefined
  const leader = { where: 'file:///ha/leader', current: async () => current }
  const connected: string[] = []
  const closed: string[] = []
  // Behind each address is the leader `of <address>`.
  const rpc = {
    connect: async (address: string) => {
      connected.push(address)
      const session = { leaderSessionId: id(`of ${address}`), close: () => closed.push(address) }
      return session as unknown as RpcSession
    },
    blobs: { has: async (address: string) => address === 'b:2' },
  } as unknown as RpcClient
  const client = new LeaderRpcClient({ rpc, leader })
  const address = leaderAddress(leader)
  const local = { name: 'x', handlers: () => ({}) }
  await expect(client.connect(address, 'dispatcher', local)).rejects.toMatchObject({
    code: 'highavailability.no-leader',
    retry: 'backoff',
  })
  current = { epoch: 1, leaderSessionId: id('of a:1'), address: 'a:1', restAddress: 'a:8081' }
  await client.connect(address, 'dispatcher', local)
  current = { epoch: 2, leaderSessionId: id('of b:2'), address: 'b:2', restAddress: 'b:8081' }
  await client.connect(address, 'dispatcher', local)
  await client.connect('c:3', 'job-master', local)
  expect(connected).toEqual(['a:1', 'b:2', 'c:3'])
  expect(await client.blobs.has(address, 'key')).toBe(true)
  // Its address belongs to another process now.
  current = { ...current, leaderSessionId: id('gone') }
  await expect(client.connect(address, 'dispatcher', local)).rejects.toMatchObject({
    code: 'highavailability.no-leader',
  })
  expect(closed).toEqual(['b:2'])
})
