import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/**
 * For tests: runs every file of a folder. A file is a sequence of blocks: commands, a line `----`, the expected output,
 * an empty line. A new state machine is made for each file. With UPDATE_TRANSCRIPTS=1 the outputs are written anew.
 */
export function runTranscripts(folder: URL, makeRunner: () => (command: string) => readonly string[]): void {
  describe(`transcripts in ${folder.pathname.split('/').slice(-3).join('/')}`, () => {
    for (const name of readdirSync(folder).filter(file => file.endsWith('.txt'))) {
      it(name, () => {
        const file = new URL(name, folder)
        const text = readFileSync(file, 'utf8')
        const actual = replay(text, makeRunner())
        if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(file, actual)
        expect(actual).toBe(text)
      })
    }
  })
}

function replay(text: string, run: (command: string) => readonly string[]): string {
  const blocks = text.trimEnd().split(/\n\n+/)
  const done = blocks.map(block => {
    const [commands = ''] = block.split('\n----')
    const lines = commands.split('\n')
    const outputs = lines.filter(line => !line.startsWith('#')).flatMap(line => run(line))
    const comments = lines.every(line => line.startsWith('#'))
    return comments
      ? commands
      : `${commands}\n----\n${outputs.length === 0 ? '(nothing)' : outputs.join('\n')}`
  })
  return `${done.join('\n\n')}\n`
}
