import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WorkingDirectory } from './working-directory.ts'

test('folders of dead processes are removed, those of living ones and foreign ones stay', () => {
  const base = mkdtempSync(join(tmpdir(), 'working-directory-'))
  try {
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    for (const [name, owner] of [
      ['flink-ts-taskmanager-dead', { pid: dead }],
      ['flink-ts-taskmanager-alive', { pid: process.ppid }],
      ['flink-ts-taskmanager-recycled', { pid: process.ppid, startTicks: '1' }],
    ] as const) {
      mkdirSync(join(base, name))
      writeFileSync(join(base, name, 'owner.json'), JSON.stringify(owner))
    }
    mkdirSync(join(base, 'other'))
    const own = WorkingDirectory.create(base, 'jobmanager')
    expect(readdirSync(base).sort()).toEqual(
      [`flink-ts-jobmanager-${process.pid}`, 'flink-ts-taskmanager-alive', 'other'].sort(),
    )
    const second = WorkingDirectory.create(base, 'jobmanager', 'second')
    expect(second.path).not.toBe(own.path)
    expect(existsSync(own.path)).toBe(true)
    own.remove()
    expect(existsSync(own.path)).toBe(false)
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
})

test('a base where nothing can be made is refused with the option to change', () => {
  const base = mkdtempSync(join(tmpdir(), 'working-directory-'))
  try {
    const file = join(base, 'file')
    writeFileSync(file, '')
    expect(() => WorkingDirectory.create(file, 'jobmanager')).toThrowError(/file.*io\.tmp\.dirs/)
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
})
