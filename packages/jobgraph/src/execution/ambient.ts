import crypto from 'node:crypto'
import type { Random } from '@flink-ts/common'
import type { PatchSet } from './patch-set.ts'

/** What a program sees of the world around it until `execute`. */
export interface Ambient {
  /** Milliseconds since the epoch, whole. */
  epochMs(): number
  /** As `performance.now()`. */
  performanceMs(): number
  readonly random: Random
  /** False while the real world is to be seen although the patches are in place (inside a capture). */
  observing(): boolean
}

/** Puts `ambient` in the place of Date, performance.now, Math.random and the random functions of node:crypto. */
export function patchAmbient(patches: PatchSet, ambient: Ambient): void {
  const on = (): boolean => patches.active && ambient.observing()
  patchClock(patches, ambient, on)
  patches.wrap<() => number>(Math, 'random', original => () => (on() ? ambient.random.next() : original()))
  patchCrypto(patches, ambient.random, on)
}

function patchClock(patches: PatchSet, ambient: Ambient, on: () => boolean): void {
  const RealDate = Date
  const realNow = Date.now
  const epochMs = (): number => (on() ? ambient.epochMs() : realNow())
  const ObservedDate: DateConstructor = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [epochMs()] : args,
        newTarget === ObservedDate ? target : newTarget,
      ),
    apply: () => new RealDate(epochMs()).toString(),
  })
  patches.replace(RealDate, 'now', epochMs)
  // `value.constructor === Date` must hold while the patch is in place.
  patches.replace(RealDate.prototype, 'constructor', ObservedDate)
  patches.replace(globalThis, 'Date', ObservedDate)
  const realPerformanceNow = performance.now.bind(performance)
  patches.replace(performance, 'now', () => (on() ? ambient.performanceMs() : realPerformanceNow()))
}

type Callback = (error: Error | null, value?: unknown) => void

function patchCrypto(patches: PatchSet, random: Random, on: () => boolean): void {
  const later = (callback: Callback, value: unknown): void => process.nextTick(callback, null, value)
  const fill = <T extends NodeJS.ArrayBufferView>(
    view: T,
    offset = 0,
    size = view.byteLength - offset,
  ): T => {
    new Uint8Array(view.buffer, view.byteOffset + offset, size).set(random.bytes(size))
    return view
  }
  const uuid = (): string => {
    const bytes = random.bytes(16)
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
    const hex = bytes.toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
  type Any = (this: unknown, ...args: unknown[]) => unknown
  const define = (target: object, key: string, replacement: Any): void =>
    patches.wrap<Any>(
      target,
      key,
      original =>
        function (this: unknown, ...args: unknown[]) {
          return on() ? replacement.apply(this, args) : original.apply(this, args)
        },
    )
  define(crypto, 'randomUUID', uuid)
  define(crypto, 'randomBytes', (size, callback) => {
    const bytes = random.bytes(size as number)
    return typeof callback === 'function' ? later(callback as Callback, bytes) : bytes
  })
  define(crypto, 'randomInt', (...args) => {
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined
    const [min, max] = args.length === 1 ? [0, args[0] as number] : (args as [number, number])
    const value = min + Math.floor(random.next() * (max - min))
    return callback === undefined ? value : later(callback, value)
  })
  define(crypto, 'randomFillSync', (view, offset, size) =>
    fill(view as NodeJS.ArrayBufferView, offset as number | undefined, size as number | undefined),
  )
  define(crypto, 'randomFill', (view, ...rest) => {
    const callback = rest.pop() as Callback
    later(callback, fill(view as NodeJS.ArrayBufferView, ...(rest as number[])))
  })
  // node:crypto's own getRandomValues is a fixed accessor for the method of this prototype.
  const webCrypto = Object.getPrototypeOf(globalThis.crypto) as object
  define(webCrypto, 'getRandomValues', view => fill(view as NodeJS.ArrayBufferView))
  define(webCrypto, 'randomUUID', uuid)
}
