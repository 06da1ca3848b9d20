import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

test('logs errors with causes, and those that cannot be shown in words', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logger-'))
  try {
    const file = join(folder, 'log')
    const logger = createLogger({ level: 'info', file })
    const hostile = {
      get message() {
        throw new Error('getter')
      },
      toString() {
        throw new Error('toString')
      },
    }
    logger.warn({ error: new Error('outer', { cause: new Error('inner') }) }, 'plain')
    logger.warn({ error: new Error('outer', { cause: hostile }) }, 'hostile cause')
    logger.warn({ error: hostile }, 'hostile')
    const [plain, cause, thrown] = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { error: Record<string, unknown> })
    expect(plain?.error).toMatchObject({ type: 'Error', message: 'outer', cause: { message: 'inner' } })
    expect(cause?.error).toMatchObject({
      message: 'outer',
      cause: { message: expect.stringContaining('cannot be shown') },
    })
    expect(thrown?.error).toMatchObject({ message: expect.stringContaining('cannot be shown') })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
