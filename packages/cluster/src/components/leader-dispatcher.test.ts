import type { RpcSession } from '@flink-ts/rpc'
import { expect, test } from 'vitest'
import { leaderDispatcher } from './leader-dispatcher.ts'

test('calls share a session, and look for the leader again when it is lost or could not be had', async () => {
  const sessions: { lost: boolean }[] = []
  let absent = true
  const rpc = {
    connect: async (address: string) => {
      if (absent) throw new Error(`nobody at ${address}`)
      const number = sessions.length
      const session = { lost: false, gateway: () => ({ listJobs: async () => [`job of ${number}`] }) }
      sessions.push(session)
      return session as unknown as RpcSession
    },
  }
  const dispatcher = leaderDispatcher('the leader', rpc)
  await expect(dispatcher.listJobs()).rejects.toThrow('nobody at the leader')
  absent = false
  expect(await Promise.all([dispatcher.listJobs(), dispatcher.listJobs()])).toEqual([
    ['job of 0'],
    ['job of 0'],
  ])
  sessions[0]!.lost = true
  expect(await dispatcher.listJobs()).toEqual(['job of 1'])
  expect(sessions.length).toBe(2)
})
