// Loaded before a process of the cluster by `node --import`, in all its threads: work on the files below a folder is
// slow, or finds the disk full, for as long as a control file says so.
// CHAOS_STORAGE: `<control file>,<folder>`. The control file: `slow <ms>` or `full`; absent: nothing is wrong.
import { readFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'

const [control = '', folder = ''] = (process.env['CHAOS_STORAGE'] ?? '').split(',')
type Call = (...args: unknown[]) => Promise<unknown>
type Calls = Record<string, Call>

function currentFault(): readonly string[] {
  try {
    return readFileSync(control, 'utf8').trim().split(' ')
  } catch {
    return [] // there is none now
  }
}

async function suffer(operation: string, path: string, needsSpace: boolean): Promise<void> {
  const [kind, ms] = currentFault()
  if (kind === 'slow') await pause(Number(ms) * (0.5 + Math.random()))
  else if (kind === 'full' && needsSpace) {
    const message = `ENOSPC: no space left on device, ${operation} '${path}'`
    throw Object.assign(new Error(message), { code: 'ENOSPC', errno: -28, syscall: operation, path })
  }
}

const isWrite = (flags: unknown): boolean => typeof flags === 'string' && /[wa]/.test(flags)
const calls = fs as unknown as Calls
/** With those that make something new. */
const needSpace = new Map<string, (args: readonly unknown[]) => boolean>([
  ['open', ([, flags]) => isWrite(flags)],
  ['mkdir', () => true],
  ['link', () => true],
  ['writeFile', () => true],
  ...['rename', 'readFile', 'readdir', 'stat', 'rm', 'unlink'].map(name => [name, () => false] as const),
])
for (const [name, needsSpace] of needSpace) {
  const original = calls[name] as Call
  calls[name] = async (...args) => {
    const path = String(args[0])
    if (!path.startsWith(folder)) return original.apply(fs, args)
    await suffer(name, path, needsSpace(args))
    const result = await original.apply(fs, args)
    if (name === 'open') wrapFile(result as Calls, path)
    return result
  }
}
syncBuiltinESMExports()

function wrapFile(file: Calls, path: string): void {
  for (const name of ['write', 'writeFile', 'sync', 'read']) {
    const original = file[name] as Call
    file[name] = async (...args) => {
      await suffer(name, path, name.startsWith('write'))
      return original.apply(file, args)
    }
  }
}
