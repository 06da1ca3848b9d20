import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isDead, ownHolder } from './process-holder.ts'

test.skipIf(process.platform !== 'linux')(
  'only a process of this machine that has ended is dead',
  async () => {
    const own = ownHolder()
    expect(own.pid).toBe(process.pid)
    expect(isDead(own)).toBe(false)
    // Its id belongs to another process now.
    expect(isDead({ ...own, started: '1' })).toBe(true)
    expect(isDead({ ...own, started: '1', machine: 'another' })).toBe(false)
    expect(isDead({ machine: '', pid: 1, started: '' })).toBe(false)
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    await once(child, 'exit')
    expect(isDead({ ...own, pid: child.pid as number })).toBe(true)
  },
)
