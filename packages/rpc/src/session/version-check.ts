import type { FlinkError } from '@flink-ts/common'
import { VersionMismatch } from '../errors.ts'
import type { Hello } from '../gen/session.ts'
import { PROTOCOL_VERSION } from './protocol-version.ts'

/**
 * Undefined if the connecting process may talk to this one of version `ours`. Versions must be equal: the payloads of
 * calls carry no schema, so only one build's messages are understood by it for sure.
 */
export function versionMismatch(hello: Hello, ours: string): FlinkError | undefined {
  if (hello.protocolVersion === PROTOCOL_VERSION && hello.productVersion === ours) return undefined
  const theirsIsOlder =
    hello.protocolVersion !== PROTOCOL_VERSION
      ? hello.protocolVersion < PROTOCOL_VERSION
      : compareVersions(hello.productVersion, ours) < 0
  return VersionMismatch({
    theirs: hello.productVersion,
    ours,
    theirProtocol: hello.protocolVersion,
    ourProtocol: PROTOCOL_VERSION,
    upgrade: theirsIsOlder ? 'the connecting process' : 'the answering process',
  })
}

/** Negative: `a` is older. Compares the numbers of `1.10.2` one by one; what follows a `-` makes a version older. */
export function compareVersions(a: string, b: string): number {
  const [coreA = '', preA] = a.split('-', 2)
  const [coreB = '', preB] = b.split('-', 2)
  const numbersA = coreA.split('.').map(Number)
  const numbersB = coreB.split('.').map(Number)
  for (let i = 0; i < Math.max(numbersA.length, numbersB.length); i++) {
    const difference = (numbersA[i] ?? 0) - (numbersB[i] ?? 0)
    if (difference !== 0) return difference
  }
  if (preA === preB) return 0
  if (preA === undefined) return 1
  if (preB === undefined) return -1
  return preA < preB ? -1 : 1
}
