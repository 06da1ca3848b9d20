// Writes docs/reference/{errors,configuration}.md from the declarations in the sources; with --check it only reports
// what is out of date. Errors are read from the syntax, since their messages are functions; options are imported,
// since their defaults are values.
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

interface DeclaredError {
  readonly code: string
  readonly domain: string
  readonly retry: string
  readonly message: string
  readonly meaning: string
}

interface DeclaredOption {
  readonly key: string
  readonly type: { readonly expected: string; format(value: unknown): string }
  readonly defaultValue: unknown
  readonly description: string
  readonly deprecatedKeys: readonly string[]
}

// Read by the scripts in bin, which declare nothing.
const scriptKey = (
  key: string,
  defaultValue: string,
  expected: string,
  description: string,
  deprecatedKeys: readonly string[] = [],
) => ({ key, defaultValue, expected, description, deprecatedKeys })
const nodeOptions = 'options of Node.js, each beginning with --'
const SCRIPT_KEYS = [
  scriptKey(
    'env.java.opts.all',
    '',
    nodeOptions,
    'For all processes; those of Java are left out, with a warning.',
    ['env.java.opts'],
  ),
  scriptKey('env.java.opts.client', '', nodeOptions, 'For the command line.'),
  scriptKey('env.java.opts.jobmanager', '', nodeOptions, 'For the JobManager.'),
  scriptKey('env.java.opts.taskmanager', '', nodeOptions, 'For TaskManagers.'),
  scriptKey('env.log.dir', 'log', 'a folder', 'Folder of the logs of processes that the scripts start.'),
  scriptKey('env.log.max', '10', 'a whole number', 'How many older logs of a process are kept.'),
  scriptKey('env.pid.dir', '/tmp', 'a folder', 'Folder of the files with the ids of started processes.'),
  scriptKey(
    'env.supervise',
    'true',
    'true or false',
    'Whether bin/taskmanager.sh start brings a TaskManager back that has died.',
  ),
  scriptKey('rest.address', 'localhost', 'a host', 'Host at which clients reach the REST API.'),
]

const generated = '<!-- Generated from the sources by npm run generate: change the declarations there. -->'
const problems: string[] = []
const packages = Object.keys(JSON.parse(readFileSync('architecture.json', 'utf8')) as object)
const sourcesOf = (name: string): readonly string[] =>
  globSync(`packages/${name}/src/**/*.ts`)
    .filter(path => !path.endsWith('.test.ts'))
    .sort()

/** Calls of the plain function `name` in a file. */
function callsOf(name: string, path: string): readonly ts.CallExpression[] {
  const text = readFileSync(path, 'utf8')
  if (!text.includes(`${name}(`) && !text.includes(`${name}<`)) return []
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: ts.CallExpression[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === name) found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** The text that an expression makes, with `{name}` for what comes from the error's data. */
function template(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isParenthesizedExpression(node)) return template(node.expression)
  if (ts.isTemplateExpression(node)) {
    return (
      node.head.text + node.templateSpans.map(span => template(span.expression) + span.literal.text).join('')
    )
  }
  const isSum = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken
  if (isSum && !ts.isNumericLiteral(node.right)) {
    return template(node.left) + template(node.right)
  }
  if (ts.isConditionalExpression(node)) {
    const texts = [template(node.whenTrue), template(node.whenFalse)].filter(text => text !== '')
    return `[${texts.join(' | ')}]`
  }
  const name = /\bd\.(\w+)/.exec(node.getText())?.[1]
  if (name !== undefined) return `{${name}}`
  problems.push(
    `${node.getSourceFile().fileName}: the message has ${node.getText()}: keep to texts and the data of the error.`,
  )
  return ''
}

function declaredError(call: ts.CallExpression): DeclaredError | undefined {
  const [argument] = call.arguments
  if (argument === undefined || !ts.isObjectLiteralExpression(argument)) return undefined
  const fields: Record<string, ts.Expression> = {}
  for (const field of argument.properties) {
    if (ts.isPropertyAssignment(field)) fields[field.name.getText()] = field.initializer
  }
  const text = (name: string): string => {
    const value = fields[name]
    if (value !== undefined && ts.isStringLiteralLike(value)) return value.text
    problems.push(`${call.getSourceFile().fileName}: defineError needs a literal ${name}.`)
    return ''
  }
  const message = fields['message']
  if (message === undefined || !ts.isArrowFunction(message) || ts.isBlock(message.body)) {
    problems.push(`${call.getSourceFile().fileName}: the message of ${text('code')} is no plain expression.`)
    return undefined
  }
  const statement = ts.findAncestor(call, ts.isVariableStatement)
  const comment = statement === undefined ? undefined : ts.getJSDocCommentsAndTags(statement)[0]
  const meaning = comment === undefined ? '' : (ts.getTextOfJSDocComment(comment.comment) ?? '')
  return {
    code: text('code'),
    domain: text('domain'),
    retry: text('retry'),
    message: template(message.body),
    meaning,
  }
}

const isOption = (value: unknown): value is DeclaredOption =>
  typeof value === 'object' &&
  value !== null &&
  'key' in value &&
  'defaultValue' in value &&
  'deprecatedKeys' in value

// Without imports and re-exports, which are no use of anything.
const code = packages
  .flatMap(sourcesOf)
  .map(path => readFileSync(path, 'utf8').replace(/^(import|export) (type )?\{[^}]*\} from .*$/gm, ''))
  .join('\n')

/** Reports an option that nothing reads: the reference would promise what does not happen. */
function checkUse(call: ts.CallExpression): void {
  const { parent } = call
  if (!ts.isVariableDeclaration(parent) && !ts.isPropertyAssignment(parent)) return
  const name = parent.name.getText()
  const group = ts.findAncestor(parent.parent, ts.isVariableDeclaration)?.name.getText()
  const [use, uses] = group === undefined ? [name, 2] : [`${group}.${name}`, 1]
  if (code.split(new RegExp(`\\b${use.replaceAll('.', '\\.')}\\b`)).length - 1 >= uses) return
  problems.push(`${call.getSourceFile().fileName}: nothing reads the option ${use}: remove it.`)
}

/** What the option modules of a package export, alone or grouped in an object. */
async function optionsOf(name: string): Promise<readonly DeclaredOption[]> {
  const found: DeclaredOption[] = []
  for (const path of sourcesOf(name)) {
    const calls = callsOf('option', path)
    if (calls.length === 0) continue
    calls.forEach(checkUse)
    const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
    const values = Object.values(module).flatMap(value =>
      isOption(value) || typeof value !== 'object' || value === null ? [value] : Object.values(value),
    )
    const options = [...new Set(values.filter(isOption))]
    if (options.length !== calls.length) {
      problems.push(
        `${path} declares ${calls.length} options and exports ${options.length}: export all of them.`,
      )
    }
    found.push(...options)
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}

function errorsOf(name: string): readonly DeclaredError[] {
  const errors = sourcesOf(name)
    .flatMap(path => callsOf('defineError', path))
    .map(declaredError)
    .filter(error => error !== undefined)
  for (const { code } of errors) {
    if (!code.startsWith(`${name}.`)) problems.push(`${code} is declared in ${name}: its code must begin so.`)
  }
  return errors.sort((a, b) => (a.code < b.code ? -1 : 1))
}

/** Reports each word that is declared twice. */
function unique(what: string, words: readonly { readonly word: string; readonly place: string }[]): void {
  const places = new Map<string, string>()
  for (const { word, place } of words) {
    const first = places.get(word)
    if (first !== undefined) {
      problems.push(
        `${what} ${word} is declared in ${first} and in ${place}: declare it once, where both see it.`,
      )
    }
    places.set(word, place)
  }
}

const cell = (text: string): string =>
  text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** As code: only the bar has a meaning there. */
const codeCell = (text: string): string =>
  `\`${text.replace(/\s+/g, ' ').trim().replaceAll('`', "'").replaceAll('|', '\\|')}\``

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

const page = (title: string, intro: string, sections: readonly (readonly [string, string])[]): string =>
  `${generated}\n# ${title}\n\n${intro}\n${sections
    .filter(([, body]) => body !== '')
    .map(([heading, body]) => `\n## ${heading}\n\n${body}\n`)
    .join('')}`

function errorsPage(errors: ReadonlyMap<string, readonly DeclaredError[]>): string {
  const sections = [...errors].map(([name, list]): [string, string] => {
    const rows = list.map(error => {
      const text = `${cell(error.meaning)}<br>${codeCell(error.message)}`
      return [codeCell(error.code), error.domain, error.retry, text]
    })
    return [name, list.length === 0 ? '' : table(['Code', 'Domain', 'Retry', 'Meaning and message'], rows)]
  })
  return page(
    'Errors',
    'Codes are stable; messages may change. The domain says who can do something about it: `user` (author or operator ' +
      'of the job), `external` (a system beyond our processes), `internal` (this project). Retry `no`: the same again ' +
      'fails again; `backoff`: it may succeed later. Restart strategies read domain and retry: an error of domain ' +
      '`user` with retry `no` ends the job. In messages `{x}` is a value seen, and `[a | b]` depends on the case.',
    sections,
  )
}

function scriptKeysTable(): string {
  const rows = SCRIPT_KEYS.map(({ key, defaultValue, expected, description }) => [
    `\`${key}\``,
    defaultValue === '' ? '(none)' : codeCell(defaultValue),
    cell(expected),
    cell(description),
  ])
  return table(['Key', 'Default', 'Value', 'Meaning'], rows)
}

function configurationPage(options: ReadonlyMap<string, readonly DeclaredOption[]>): string {
  const sections = [...options].map(([name, list]): [string, string] => {
    const rows = list.map(option => {
      const { defaultValue } = option
      const none = defaultValue === undefined || option.type.format(defaultValue) === ''
      const older = option.deprecatedKeys.map(key => `\`${key}\``).join(', ')
      return [
        `\`${option.key}\``,
        none ? '(none)' : codeCell(option.type.format(defaultValue)),
        cell(option.type.expected),
        cell(option.description) + (older === '' ? '' : `<br>Older names: ${older}.`),
      ]
    })
    return [name, list.length === 0 ? '' : table(['Key', 'Default', 'Value', 'Meaning'], rows)]
  })
  return page(
    'Configuration',
    'Keys of `conf/flink-conf.yaml` and of `-D key=value`, by the package that reads them; `common` has those that ' +
      'several read. A `-D` goes before the file, a setting in the program before both. Names are those of Apache ' +
      'Flink where it has the option; older names are still read. Every other key of Flink is accepted, with one ' +
      "warning that says why it has no effect; for a key that is neither ours nor Flink's the warning names the " +
      'nearest known one. `flink config explain <key>` says it, too.',
    [...sections, ['scripts', scriptKeysTable()]],
  )
}

const errors = new Map(packages.map(name => [name, errorsOf(name)]))
const options = new Map<string, readonly DeclaredOption[]>()
for (const name of packages) options.set(name, await optionsOf(name))
unique(
  'The error code',
  [...errors].flatMap(([place, list]) => list.map(({ code }) => ({ word: code, place }))),
)
unique(
  'The option',
  [...options].flatMap(([place, list]) =>
    list.flatMap(option => [option.key, ...option.deprecatedKeys].map(word => ({ word, place }))),
  ),
)

/** What `explainKey` knows. */
function optionsFile(all: readonly DeclaredOption[]): string {
  const known = [...all.map(knownOption), ...SCRIPT_KEYS].sort((a, b) => (a.key < b.key ? -1 : 1))
  return `[\n${known.map(option => `  ${JSON.stringify(option)}`).join(',\n')}\n]\n`
}

function knownOption({ key, type, defaultValue, description, deprecatedKeys }: DeclaredOption) {
  const none = defaultValue === undefined || defaultValue === ''
  const text = (value: string): string => value.replace(/\s+/g, ' ').trim()
  return {
    key,
    defaultValue: none ? '' : type.format(defaultValue),
    expected: type.expected,
    description: text(description),
    deprecatedKeys,
  }
}

const pages = {
  'docs/reference/errors.md': errorsPage(errors),
  'docs/reference/configuration.md': configurationPage(options),
  'packages/common/data/options.json': optionsFile([...options.values()].flat()),
}
if (problems.length === 0) {
  for (const [path, text] of Object.entries(pages)) {
    mkdirSync(dirname(path), { recursive: true })
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    if (process.argv.includes('--check')) problems.push(`${path} is out of date: run npm run generate`)
    else writeFileSync(path, text)
  }
}
for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
