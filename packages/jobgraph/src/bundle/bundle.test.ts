import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as tar from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MANIFEST } from './bundle-manifest.ts'
import { createBundle } from './create-bundle.ts'
import { extractBundle } from './extract-bundle.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bundle-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function file(path: string, content: string): string {
  const target = join(dir, path)
  mkdirSync(join(target, '..'), { recursive: true })
  writeFileSync(target, content)
  return target
}

function project(): string {
  file('project/package.json', '{"name": "delays", "type": "module"}')
  file('project/src/assets/airports.txt', 'STL')
  file('project/src/rules.sql', 'select 1')
  file(
    'project/src/shade.ts',
    'export enum Shade { Light = 3, Dark }\nexport const fail = () => { throw new Error("dark") }\n',
  )
  file('project/node_modules/old/package.json', '{"name":"old","main":"i.js"}')
  file('project/node_modules/old/i.js', "const path = require('path'); exports.join = path.join")
  return file(
    'project/src/job.ts',
    `import { readFileSync } from 'node:fs'
import runtime from 'flink-ts'
import { join } from 'old'
import rules from './rules.sql'
import { Shade } from './shade.ts'
export const seen = {
  runtime, rules, shade: Shade.Dark, joined: join('a', 'b'),
  asset: readFileSync(new URL('./assets/airports.txt', import.meta.url), 'utf8'),
}
export { fail } from './shade.ts'
`,
  )
}

function runtimeDir(): string {
  file('runtime/flink-ts/package.json', '{"name":"flink-ts","type":"module","exports":"./index.js"}')
  file('runtime/flink-ts/index.js', 'export default "the one runtime"')
  return join(dir, 'runtime/flink-ts')
}

const archive = (name: string): string => join(dir, name)
const options = (): { runtimeModuleDirs: Record<string, string> } => ({
  runtimeModuleDirs: { 'flink-ts': runtimeDir() },
})

describe('createBundle', { timeout: 30_000 }, () => {
  it('gives the same bytes for the same sources, wherever they are and whatever the umask', async () => {
    const entry = project()
    const first = await createBundle({ entry, outFile: archive('a.tgz') })
    cpSync(join(dir, 'project'), join(dir, 'elsewhere/deep/project'), { recursive: true })
    const script = `import { createBundle } from ${JSON.stringify(new URL('./create-bundle.ts', import.meta.url).href)}
process.umask(0o077)
const made = await createBundle({ entry: process.argv[1], outFile: process.argv[2] })
console.log(made.blobKey)`
    const args = ['--conditions=@flink-ts/source', '--input-type=module', '-e', script]
    const other = join(dir, 'elsewhere/deep/project/src/job.ts')
    const key = execFileSync(process.execPath, [...args, other, archive('b.tgz')], {
      encoding: 'utf8',
    }).trim()
    expect(key).toBe(first.blobKey)
    expect(readFileSync(archive('b.tgz')).equals(readFileSync(archive('a.tgz')))).toBe(true)
    expect(first.blobKey).toBe(createHash('sha256').update(readFileSync(first.file)).digest('hex'))
  })

  it('puts the manifest first and names every other file in it', async () => {
    const { file: bundle, manifest } = await createBundle({ entry: project(), outFile: archive('a.tgz') })
    const names: string[] = []
    await tar.list({ file: bundle, onReadEntry: entry => names.push(entry.path) })
    expect(names).toEqual([MANIFEST, 'assets/airports.txt', 'job.mjs', 'job.mjs.map'])
    expect(Object.keys(manifest.files)).toEqual(names.slice(1))
    expect(manifest).toMatchObject({ format: 1, name: 'delays', entry: 'job.mjs' })
  })

  it('carries no path of the machine', async () => {
    const { file: bundle } = await createBundle({ entry: project(), outFile: archive('a.tgz') })
    await tar.extract({ file: bundle, cwd: dir })
    for (const name of [MANIFEST, 'job.mjs', 'job.mjs.map'])
      expect(readFileSync(join(dir, name), 'utf8')).not.toContain(dir)
  })

  it('names file and line of what esbuild refuses', async () => {
    const entry = file('broken.ts', 'const a = 1\nimport { b } from "./not-there"\nconst c = = 2\n')
    await expect(createBundle({ entry })).rejects.toMatchObject({
      code: 'jobgraph.bundle-failed',
      message: expect.stringContaining(`${entry}:3:11: `),
    })
    const missing = file('missing.ts', 'import x from "no-such-package"\nconsole.log(x)\n')
    await expect(createBundle({ entry: missing })).rejects.toThrow(
      `${missing}:1:15: Could not resolve "no-such-package"`,
    )
  })

  it('says what is no program', async () => {
    await expect(createBundle({ entry: join(dir, 'gone.ts') })).rejects.toThrow('there is no such file')
    await expect(createBundle({ entry: dir })).rejects.toThrow('it is not a file')
    await expect(createBundle({ entry: file('x.java', '') })).rejects.toThrow("its name ends in '.java'")
  })

  it('leaves a require of the program alone', async () => {
    const entry = file(
      'own.ts',
      "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const sep = require('node:path').sep\n",
    )
    const { file: bundle } = await createBundle({ entry, outFile: archive('own.tgz') })
    const { moduleUrl } = await extractBundle(bundle, join(dir, 'own'), { runtimeModuleDirs: {} })
    expect((await import(/* @vite-ignore */ moduleUrl)).sep).toBe('/')
  })

  it('copies packages with native add-ons and what they need', async () => {
    file(
      'native/node_modules/addon/package.json',
      '{"name":"addon","main":"i.js","dependencies":{"finder":"1","node-gyp":"1"}}',
    )
    file('native/node_modules/addon/i.js', "exports.found = require('finder')")
    file('native/node_modules/addon/build/Release/addon.node', 'binary')
    file('native/node_modules/addon/binding.gyp', '{}')
    file('native/node_modules/addon/src/addon.cc', 'int main')
    file('native/node_modules/finder/package.json', '{"name":"finder"}')
    file('native/node_modules/finder/index.js', "module.exports = 'finder'")
    file('native/node_modules/node-gyp/package.json', '{"name":"node-gyp"}')
    const entry = file('native/job.ts', "import addon from 'addon'\nexport const found = addon.found\n")
    const { file: bundle, manifest } = await createBundle({ entry, outFile: archive('n.tgz') })
    expect(Object.keys(manifest.files)).toEqual([
      'job.mjs',
      'job.mjs.map',
      'node_modules/addon/build/Release/addon.node',
      'node_modules/addon/i.js',
      'node_modules/addon/package.json',
      'node_modules/finder/index.js',
      'node_modules/finder/package.json',
    ])
    expect(manifest.native).toMatchObject({ packages: ['addon'], abi: process.versions.modules })
    const { moduleUrl } = await extractBundle(bundle, join(dir, 'n'), { runtimeModuleDirs: {} })
    expect((await import(/* @vite-ignore */ moduleUrl)).found).toBe('finder')
  })

  it('removes its working folder, also after a failure', async () => {
    const before = readdirSync(tmpdir()).filter(name => name.startsWith('flink-bundle-'))
    await createBundle({ entry: project(), outFile: archive('a.tgz') })
    await expect(createBundle({ entry: file('broken.ts', '!') })).rejects.toThrow()
    expect(readdirSync(tmpdir()).filter(name => name.startsWith('flink-bundle-'))).toEqual(before)
  })
})

describe('extractBundle', { timeout: 30_000 }, () => {
  it('runs the program with the one runtime, its assets and a stack that names the source', async () => {
    const { file: bundle } = await createBundle({ entry: project(), outFile: archive('a.tgz') })
    const { moduleUrl, manifest } = await extractBundle(bundle, join(dir, 'out'), options())
    expect(manifest.name).toBe('delays')
    const script = `process.setSourceMapsEnabled(true)
const job = await import(${JSON.stringify(moduleUrl)})
let stack; try { job.fail() } catch (error) { stack = error.stack }
console.log(JSON.stringify({ ...job.seen, stack }))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    const { stack, ...seen } = JSON.parse(output)
    expect(seen).toEqual({
      runtime: 'the one runtime',
      rules: 'select 1',
      shade: 4,
      joined: 'a/b',
      asset: 'STL',
    })
    expect(stack).toMatch(/src\/shade\.ts:2:/)
  })

  it('is safe when many do it at the same time, and leaves nothing beside the target', async () => {
    const { file: bundle } = await createBundle({ entry: project(), outFile: archive('a.tgz') })
    const target = join(dir, 'cache/key')
    const made = await Promise.all(Array.from({ length: 8 }, () => extractBundle(bundle, target, options())))
    expect(new Set(made.map(one => one.moduleUrl)).size).toBe(1)
    expect(readdirSync(join(dir, 'cache'))).toEqual(['key'])
    expect(existsSync(fileURLToPath(made[0]?.moduleUrl as string))).toBe(true)
  })

  const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
  const manifestOf = (change: object = {}): string =>
    JSON.stringify({
      format: 1,
      name: 'x',
      entry: 'job.mjs',
      sdkVersion: '0.1.0',
      node: '24.8.0',
      files: { 'job.mjs': { sha256: digest('export {}'), size: 9 } },
      ...change,
    })

  async function hostile(
    build: (stage: string) => string[],
    pack: { preservePaths?: boolean } = {},
  ): Promise<unknown> {
    const stage = join(dir, 'stage')
    rmSync(stage, { recursive: true, force: true })
    mkdirSync(stage)
    writeFileSync(join(stage, MANIFEST), manifestOf())
    writeFileSync(join(stage, 'job.mjs'), 'export {}')
    const extra = build(stage)
    await tar.create({ file: archive('h.tgz'), gzip: true, cwd: stage, ...pack }, [
      MANIFEST,
      'job.mjs',
      ...extra,
    ])
    const error = await extractBundle(archive('h.tgz'), join(dir, 'victim'), {
      ...options(),
      maxTotalBytes: 100_000,
    }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(existsSync(join(dir, 'victim'))).toBe(error === undefined)
    expect(readdirSync(dir).filter(name => name.endsWith('.tmp'))).toEqual([])
    return error
  }
  const invalid = (text: string): object => ({
    code: 'jobgraph.bundle-invalid',
    message: expect.stringContaining(text),
  })

  it('takes a plain archive (the tests below differ from it in one thing each)', async () => {
    expect(await hostile(() => [])).toBeUndefined()
  })

  const put = (stage: string, path: string, content: string | Buffer): string => {
    mkdirSync(join(stage, path, '..'), { recursive: true })
    writeFileSync(join(stage, path), content)
    return path
  }
  const putManifest = (stage: string, text: string): string[] => {
    put(stage, MANIFEST, text)
    return []
  }
  const empty = { sha256: digest(''), size: 0 }

  it.each<[string, (stage: string) => string[], string, { preservePaths?: boolean }?]>([
    [
      'a symbolic link',
      stage => {
        symlinkSync('/etc/passwd', join(stage, 'l'))
        return ['l']
      },
      'only files and folders',
    ],
    ['a file the manifest does not name', stage => [put(stage, 'x', '')], 'x is not in the manifest'],
    ['a changed file', stage => [put(stage, 'job.mjs', 'export{ }')].slice(1), 'digest'],
    [
      'a missing file',
      stage => {
        put(stage, 'job.mjs', '')
        return putManifest(stage, manifestOf({ files: { 'job.mjs': empty, y: empty } }))
      },
      'y is missing',
    ],
    ['too many bytes', stage => [put(stage, 'big', Buffer.alloc(200_000))], 'more than 100000 bytes'],
    [
      'a runtime of its own',
      stage => [put(stage, 'node_modules/flink-ts/index.js', '')],
      'belongs to the cluster',
    ],
    ['a manifest that is no JSON', stage => putManifest(stage, '{'), 'is not JSON'],
    ['a manifest without files', stage => putManifest(stage, manifestOf({ files: null })), 'no files'],
    [
      'an entry outside of its files',
      stage => putManifest(stage, manifestOf({ entry: '../x.mjs' })),
      'not among its files',
    ],
    ['a path upwards', stage => [put(stage, '../up', '')], '../up', { preservePaths: true }],
    ['an absolute path', stage => [join(stage, put(stage, 'abs', ''))], '/abs', { preservePaths: true }],
    ['one file twice', () => ['job.mjs'], 'job.mjs twice'],
  ])('refuses %s', async (_, build, text, pack) => {
    expect(await hostile(build, pack)).toMatchObject(invalid(text))
  })

  it.each([
    [{ format: 2, sdkVersion: '9.0.0' }, 'Upgrade the cluster'],
    [{ format: 0 }, 'Make the bundle again'],
    [{ sdkVersion: '0.2.0' }, 'Upgrade the cluster to 0.2.0'],
    [{ sdkVersion: '0.0.9' }, 'Make the bundle again with flink-ts 0.1.0'],
    [{ node: '99.0.0' }, 'Upgrade Node.js to 99.0.0'],
    [{ native: { platform: 'plan9-mips', abi: '1', packages: ['addon'] } }, 'same platform'],
  ])('says what to upgrade: %j', async (change, text) => {
    const error = await hostile(stage => putManifest(stage, manifestOf(change)))
    expect(error).toMatchObject({
      code: 'jobgraph.bundle-incompatible',
      message: expect.stringContaining(text),
    })
  })

  it('refuses what is no archive, and a cut one', async () => {
    writeFileSync(archive('no.tgz'), 'hello')
    await expect(extractBundle(archive('no.tgz'), join(dir, 'v'), options())).rejects.toMatchObject(
      invalid(''),
    )
    const { file: bundle } = await createBundle({ entry: project(), outFile: archive('a.tgz') })
    const bytes = readFileSync(bundle)
    for (const share of [0.2, 0.5, 0.9]) {
      writeFileSync(archive('cut.tgz'), bytes.subarray(0, Math.floor(bytes.length * share)))
      await expect(extractBundle(archive('cut.tgz'), join(dir, 'v'), options())).rejects.toMatchObject(
        invalid(''),
      )
    }
    expect(existsSync(join(dir, 'v'))).toBe(false)
  })
})
