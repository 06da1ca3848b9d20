import { Console } from 'node:console'
import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'

/** Longest wait for an output that takes nothing; what is left is dropped then. */
const MAX_WAIT_MS = 1000

/**
 * Has console and process.stdout/stderr of this thread write straight to the descriptors of the process. The ordinary
 * way of a worker leads through the main thread, where output queues up without bound.
 */
export function installSynchronousConsole(): void {
  const stdout = synchronousStream(1)
  const stderr = synchronousStream(2)
  Object.defineProperty(process, 'stdout', { configurable: true, get: () => stdout })
  Object.defineProperty(process, 'stderr', { configurable: true, get: () => stderr })
  globalThis.console = new Console({ stdout, stderr })
}

function synchronousStream(descriptor: 1 | 2): Writable {
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      writeAll(descriptor, chunk)
      done()
    },
  })
}

function writeAll(descriptor: 1 | 2, bytes: Buffer): void {
  let written = 0
  let waitedMs = 0
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A pipe whose reader is slow, or gone: user code must not fail or hang for the sake of its output.
      if (code !== 'EAGAIN' || waitedMs >= MAX_WAIT_MS) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
      waitedMs += 2
    }
  }
}
