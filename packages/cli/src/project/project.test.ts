import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { VERSION } from '@flink-ts/common'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../cli.ts'
import type { Terminal } from '../terminal.ts'
import { initProject } from './init-project.ts'

const REPOSITORY = resolve(import.meta.dirname, '../../../..')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-project-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function recorded(): { terminal: Terminal; lines: string[] } {
  const lines: string[] = []
  const add = (line: string): number => lines.push(line)
  return { lines, terminal: { print: add, complain: add, showStatus: () => {}, interactive: false } }
}

const manifestOf = (project: string) => JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))

describe('flink init', () => {
  test('makes a project of this version and says how to go on', async () => {
    const { terminal, lines } = recorded()
    const project = join(folder, 'my-jobs')
    expect(await runCli(['init', project, '--package', VERSION], terminal)).toBe(0)
    expect(readdirSync(project).sort()).toEqual([
      '.gitignore',
      'README.md',
      'package.json',
      'src',
      'tsconfig.json',
    ])
    const manifest = manifestOf(project)
    expect(manifest.name).toBe('my-jobs')
    expect(manifest.dependencies).toEqual({ 'flink-ts': VERSION })
    // The versions that this repository is tested with.
    const { devDependencies, optionalDependencies } = manifestOf(REPOSITORY)
    expect(devDependencies).toMatchObject(manifest.devDependencies)
    expect(optionalDependencies).toMatchObject(manifest.optionalDependencies)
    expect(lines.slice(1)).toEqual([`  cd ${project}`, '  npm install', '  npm test', '  npm start'])
  })

  test('takes flink-ts from the file that it was itself installed from', () => {
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ dependencies: { 'flink-ts': 'file:../dist/flink-ts-1.tgz' } }),
    )
    initProject(join(folder, 'a/b'), {}, recorded().terminal, join(folder, 'node_modules/.bin/flink'))
    expect(manifestOf(join(folder, 'a/b')).dependencies).toEqual({
      'flink-ts': 'file:../../../dist/flink-ts-1.tgz',
    })
    const source = { package: 'file:/there/flink-ts.tgz' }
    initProject(join(folder, 'c'), source, recorded().terminal, join(folder, 'node_modules/.bin/flink'))
    expect(manifestOf(join(folder, 'c')).dependencies).toEqual({ 'flink-ts': 'file:/there/flink-ts.tgz' })
  })

  test('says what to give when it does not run from an installed package', async () => {
    const { terminal, lines } = recorded()
    expect(await runCli(['init', join(folder, 'jobs')], terminal)).toBe(2)
    expect(lines.join()).toContain('--package file:')
    expect(readdirSync(folder)).toEqual([])
  })

  test('writes nothing where something is', async () => {
    const { terminal, lines } = recorded()
    writeFileSync(join(folder, 'thesis.txt'), 'years of work')
    mkdirSync(join(folder, 'My Jobs'))
    expect(await runCli(['init', folder], terminal)).toBe(2)
    // The name comes first: folders of mkdtemp may have capitals.
    expect(lines.join()).toMatch(/is not empty: it has thesis.txt|cannot be the name/)
    expect(await runCli(['init', join(folder, 'My Jobs')], terminal)).toBe(2)
    expect(lines.join()).toContain("'My Jobs' cannot be the name of a project")
    expect(readdirSync(folder).sort()).toEqual(['My Jobs', 'thesis.txt'])
  })
})

describe('flink check', () => {
  test('says where Node.js cannot run a file, and what to write instead', { timeout: 60_000 }, async () => {
    const project = join(folder, 'jobs')
    initProject(project, { package: '0.1.0' }, recorded().terminal)
    const { terminal, lines } = recorded()
    expect(await runCli(['check', join(project, 'src/job.ts')], terminal)).toBe(2)
    expect(lines.splice(0).join()).toContain('is no folder of a project')
    expect(await runCli(['check', project], terminal)).toBe(1)
    expect(lines.join('\n')).toContain('there is no TypeScript. Run npm install there')

    symlinkSync(join(REPOSITORY, 'node_modules'), join(project, 'node_modules'))
    rmSync(join(project, 'src'), { recursive: true })
    mkdirSync(join(project, 'src'))
    writeFileSync(join(project, 'src/job.ts'), 'export const fine: number = 1\nenum Colour { Red }\n')
    lines.length = 0
    expect(await runCli(['check', project], terminal)).toBe(1)
    expect(lines[0]).toMatch(/^src\/job\.ts\(2,6\): error TS1294: Node\.js only removes types/)
    expect(lines[0]).toContain('Instead of an enum write an object with `as const`')

    writeFileSync(join(project, 'src/job.ts'), 'export const fine: number = 1\n')
    lines.length = 0
    expect(await runCli(['check', project], terminal)).toBe(0)
    expect(lines).toEqual([`${project}: no errors`])
  })
})
