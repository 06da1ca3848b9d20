import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import fs from 'node:fs'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { SideEffectInReplay } from '../errors.ts'
import type { PatchSet } from './patch-set.ts'
import { userFrame } from './user-frame.ts'

// An import statement would read all its exports, and so load the HTTP client behind fetch: tens of milliseconds.
const http = process.getBuiltinModule('node:http')

const FILE_CHANGES = [
  'writeFile',
  'appendFile',
  'rm',
  'rmdir',
  'unlink',
  'mkdir',
  'mkdtemp',
  'mkdtempDisposable',
  'rename',
  'copyFile',
  'cp',
  'symlink',
  'link',
  'truncate',
  'chmod',
  'lchmod',
  'chown',
  'lchown',
  'utimes',
  'lutimes',
] as const
const PROCESS_STARTS = ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const

type Any = (this: unknown, ...args: unknown[]) => unknown

/**
 * Makes writing and removing files, opening connections and starting processes throw
 * `jobgraph.side-effect-in-replay`, naming the line of the program. Reading is allowed, and so is writing to what is
 * open already (descriptors, standard output): it belongs to the runtime.
 */
export function guardSideEffects(patches: PatchSet): void {
  const refuse = (
    target: object,
    key: string,
    operation: string,
    when: (args: unknown[]) => boolean = () => true,
  ): void =>
    patches.wrap<Any>(target, key, original => {
      function guard(this: unknown, ...args: unknown[]): unknown {
        if (!patches.active || !when(args)) return original.apply(this, args)
        // Also from functions that give promises: nobody may await them before `execute` is reached.
        throw violation(operation, args, guard)
      }
      return guard
    })

  const onPath = (args: unknown[]): boolean => typeof args[0] !== 'number' && !isFileHandle(args[0])
  for (const name of FILE_CHANGES) {
    refuse(fs, name, name, onPath)
    refuse(fs, `${name}Sync`, `${name}Sync`, onPath)
    refuse(fs.promises, name, name, onPath)
  }
  const toWrite = (args: unknown[]): boolean => opensForWriting(args[1])
  refuse(fs, 'open', 'open', toWrite)
  refuse(fs, 'openSync', 'openSync', toWrite)
  refuse(fs.promises, 'open', 'open', toWrite)
  refuse(fs, 'createWriteStream', 'createWriteStream', args => !hasDescriptor(args[1]))

  for (const name of PROCESS_STARTS) refuse(childProcess, name, name)

  for (const module of [http, https]) for (const name of ['request', 'get']) refuse(module, name, name)
  refuse(http2, 'connect', 'connect')
  refuse(globalThis, 'fetch', 'fetch')
  refuse(net, 'connect', 'connect')
  refuse(net, 'createConnection', 'createConnection')
  // Also what tls and everything above it uses.
  refuse(net.Socket.prototype, 'connect', 'connect')
  refuse(net.Server.prototype, 'listen', 'listen')
  for (const name of ['bind', 'connect', 'send']) refuse(dgram.Socket.prototype, name, name)
}

function violation(operation: string, args: unknown[], guard: Any): Error {
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 50
  Error.captureStackTrace(holder, guard)
  Error.stackTraceLimit = limit
  const stack = holder.stack ?? ''
  const error = SideEffectInReplay({ operation, target: describe(args[0]), location: userFrame(stack) })
  // The user's frames, not ours: they are what a reader of the failure looks for.
  error.stack = `${error.name}: ${error.message}\n${stack.split('\n').slice(1).join('\n')}`
  return error
}

function opensForWriting(flags: unknown): boolean {
  if (typeof flags === 'string') return /[wa+]/.test(flags)
  if (typeof flags !== 'number') return false
  const { O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC } = fs.constants
  return (flags & (O_WRONLY | O_RDWR | O_APPEND | O_CREAT | O_TRUNC)) !== 0
}

function isFileHandle(value: unknown): boolean {
  return value !== null && typeof value === 'object' && 'fd' in value
}

function hasDescriptor(options: unknown): boolean {
  return options !== null && typeof options === 'object' && (options as { fd?: unknown }).fd !== undefined
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 100 ? `${value.slice(0, 100)}...` : value}'`
  if (value instanceof URL) return `'${value.href}'`
  if (value === undefined || typeof value === 'function') return ''
  if (typeof value === 'object' && value !== null) {
    const { host, hostname, port, path, href } = value as Record<string, unknown>
    const name = href ?? path ?? [hostname ?? host, port].filter(part => part !== undefined).join(':')
    return name === '' ? '...' : String(name)
  }
  return String(value)
}
