import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const pages = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md').sort()]
const read = (path: string): string => readFileSync(path, 'utf8')
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '')

interface Link {
  readonly text: string
  readonly path: string
  readonly anchor: string | undefined
}

/** Links of a page into the repository. */
function linksOf(page: string): readonly Link[] {
  return [...withoutCode(read(page)).matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)]
    .map(([, text = '', target = '']) => ({ text, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map(({ text, target }) => {
      const [path = '', anchor] = target.split('#')
      return { text, path: path === '' ? page : normalize(join(dirname(page), path)), anchor }
    })
}

/** Anchors as they are made of headings. */
function anchorsOf(page: string): readonly string[] {
  return [...withoutCode(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Everything below `root` that has this name: functions, classes, variables, types, members. */
function declarations(root: ts.Node, name: string): readonly ts.Node[] {
  const found: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    const isDeclaration =
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isClassElement(node) ||
      ts.isTypeElement(node) ||
      ts.isObjectLiteralElement(node)
    if (isDeclaration && node.name?.getText() === name) found.push(node)
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(root, visit)
  return found
}

// Many links lead to the same file.
const parsed = new Map<string, ts.SourceFile>()

/** Whether `Class.member` or a plain name is declared in a file. */
function isDeclared(path: string, symbol: string): boolean {
  const file = parsed.get(path) ?? ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
  parsed.set(path, file)
  let places: readonly ts.Node[] = [file]
  for (const name of symbol.split('.')) places = places.flatMap(place => declarations(place, name))
  return places.length > 0
}

describe.each(pages)('%s', page => {
  it('leads to files and headings that exist', () => {
    const broken = linksOf(page).filter(
      ({ path, anchor }) =>
        !existsSync(path) ||
        (anchor !== undefined && !(path.endsWith('.md') && anchorsOf(path).includes(anchor))),
    )
    expect(broken).toEqual([])
  })

  it('names files of packages that exist', () => {
    const paths = [
      ...read(page).matchAll(/(?<![\w@/.-])(?:packages|examples|tools|e2e|benchmarks|bin|conf)\/[\w./-]*\w/g),
    ]
    expect(paths.map(([path]) => path).filter(path => !existsSync(path))).toEqual([])
  })

  it('names functions and classes that are in the files they lead to', () => {
    const named = linksOf(page).filter(({ text, path }) => /^`[#\w.]+`$/.test(text) && path.endsWith('.ts'))
    const wrong = named.filter(({ text, path }) => existsSync(path) && !isDeclared(path, text.slice(1, -1)))
    expect(wrong).toEqual([])
  })
})

it('the tour names what it passes', () => {
  expect(
    linksOf('docs/guide/tour.md').filter(({ path }) => path.startsWith('packages/')).length,
  ).toBeGreaterThan(100)
})

it('a name that is not in a file is told', () => {
  const file = 'packages/jobmanager/src/jobmaster/job-master.ts'
  expect(
    ['JobMaster.start', 'JobMaster.#deploy', 'JobMaster.begin', 'Dispatcher'].map(name =>
      isDeclared(file, name),
    ),
  ).toEqual([true, true, false, false])
})
