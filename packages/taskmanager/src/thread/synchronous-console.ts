import { writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** Longest wait for an output that takes nothing; what is left is dropped then. */
const MAX_WAIT_MS = 1000

/**
 * Has console and process.stdout/stderr of this thread write straight to the descriptors of the process. The ordinary
 * way of a worker leads through the main thread, where output queues up without bound. The stream objects stay: Node
 * itself talks to them.
 */
export function installSynchronousConsole(): void {
  writeSynchronously(process.stdout, 1)
  writeSynchronously(process.stderr, 2)
}

function writeSynchronously(stream: Writable, descriptor: 1 | 2): void {
  stream._writev = (chunks, done) => {
    for (const { chunk, encoding } of chunks as readonly {
      chunk: string | Buffer
      encoding: BufferEncoding
    }[]) {
      writeAll(descriptor, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
    }
    done()
  }
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
