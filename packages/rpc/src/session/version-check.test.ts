import { describe, expect, test } from 'vitest'
import { PROTOCOL_VERSION } from './protocol-version.ts'
import { compareVersions, versionMismatch } from './version-check.ts'

const hello = (productVersion: string, protocolVersion = PROTOCOL_VERSION) => ({
  productVersion,
  protocolVersion,
  sessionId: '',
  resume: false,
  endpointName: 'dispatcher',
  peerName: 'client',
  resourceId: 'r',
  probeAddress: '',
})

describe('version check', () => {
  test.each([
    ['1.9.0', '1.10.0', -1],
    ['1.10.0', '1.9.9', 1],
    ['1.0.0', '1.0.0', 0],
    ['1.0.0-rc1', '1.0.0', -1],
    ['1.0.0', '1.0.0-rc1', 1],
    ['1.0', '1.0.1', -1],
  ])('%s against %s', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order)
  })

  test('equal versions may talk', () => {
    expect(versionMismatch(hello('1.2.3'), '1.2.3')).toBeUndefined()
  })

  test('the older side is to be upgraded; the protocol decides before the product', () => {
    expect(versionMismatch(hello('1.2.2'), '1.2.3')?.message).toContain('Upgrade the connecting process')
    expect(versionMismatch(hello('1.2.4'), '1.2.3')?.message).toContain('Upgrade the answering process')
    const future = versionMismatch(hello('1.2.2', PROTOCOL_VERSION + 1), '1.2.3')
    expect(future?.message).toContain('Upgrade the answering process')
  })
})
