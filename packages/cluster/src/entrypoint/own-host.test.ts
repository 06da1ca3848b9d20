import { hostname, networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { bindHostFor, ownHost } from './own-host.ts'

test.each(['localhost', '127.0.0.1', '::1'])('beside a JobManager at %s it is loopback', async peer => {
  expect(await ownHost(peer)).toBe('localhost')
  expect(bindHostFor('localhost')).toBe('localhost')
})

test('beside one elsewhere it is an address of this machine, or its name', async () => {
  const own = Object.values(networkInterfaces()).flatMap(addresses => addresses?.map(a => a.address) ?? [])
  // An address for documentation, which nobody has.
  const host = await ownHost('192.0.2.1')
  expect([...own, hostname()]).toContain(host)
  expect(bindHostFor(host)).toBe(host === 'localhost' ? 'localhost' : '0.0.0.0')
})

test('a name that leads nowhere gives the name of this machine', async () => {
  expect(await ownHost('no-such-host.invalid')).toBe(hostname())
})
