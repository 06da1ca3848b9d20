import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below those that systems give to connections and to servers without a wish, so that none of them takes it first. */
const FIRST = 20_000
const END = 32_000

/** A port of loopback that is free now, and is taken until then only by somebody who chose the same one of thousands. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
