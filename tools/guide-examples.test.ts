import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'

// Pages whose TypeScript is a program: all of its blocks together are one module, in their order.
const pages = globSync('docs/guide/*.md')
  .sort()
  .map(page => ({ page, blocks: [...readFileSync(page, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)] }))
  .filter(({ blocks }) => blocks.length > 0)

/** The blocks in the lines where they stand in the page, so that messages name the right ones. */
function moduleOf(page: string, blocks: readonly RegExpMatchArray[]): string {
  const lines = new Array<string>(readFileSync(page, 'utf8').split('\n').length).fill('')
  for (const { index = 0, input = '', 1: code = '' } of blocks) {
    const first = input.slice(0, index).split('\n').length
    for (const [i, line] of code.split('\n').entries()) if (line !== '') lines[first + i] = line
  }
  return `${lines.join('\n')}\nexport {}\n`
}

/** What the compiler says about the modules of the pages. */
function problemsOf(modules: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile('tsconfig.base.json', ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, process.cwd())
  Object.assign(options, {
    ...{ noEmit: true, composite: false, incremental: false, declaration: false, declarationMap: false },
    ...{ allowImportingTsExtensions: true, rewriteRelativeImportExtensions: false },
    // Examples show values that they do not go on with.
    ...{ noUnusedLocals: false, noUnusedParameters: false },
  })
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = path => modules.has(path) || fileExists(path)
  host.readFile = path => modules.get(path) ?? readFile(path)
  host.getSourceFile = (path, target, ...rest) => {
    const text = modules.get(path)
    return text === undefined
      ? getSourceFile(path, target, ...rest)
      : ts.createSourceFile(path, text, target, true)
  }
  const program = ts.createProgram([...modules.keys()], options, host)
  return [...modules.keys()].flatMap(path => {
    const file = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ start = 0, messageText }) => {
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
      return `${path.replace(/\.ts$/, '')}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  })
}

it('the examples of the guide compile', { timeout: 120_000 }, () => {
  const modules = new Map(pages.map(({ page, blocks }) => [resolve(`${page}.ts`), moduleOf(page, blocks)]))
  expect(problemsOf(modules)).toEqual([])
})

it('what is wrong is told, with the line of its page', { timeout: 120_000 }, () => {
  const path = resolve('docs/guide/wrong.md.ts')
  const text = "\nimport { CountTrigger } from 'flink-ts'\nCountTrigger.of('three')\n"
  expect(problemsOf(new Map([[path, text]]))).toEqual([
    expect.stringMatching(
      /wrong\.md:3 Argument of type 'string' is not assignable to parameter of type 'number'/,
    ),
  ])
})
