import { defineError } from '@flink-ts/common'

/** Main read a variable that looks like a secret; its value would have travelled with the job. */
export const SecretInEnvironment = defineError<{ variable: string }>({
  code: 'jobgraph.secret-in-environment',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program reads the environment variable ${d.variable} before env.execute(). Its name looks like a secret, ` +
    'and what main reads travels with the job. Read it by ' +
    `env.secret('${d.variable}'), or inside open() of a function or class of the job: there it is read on each host ` +
    'and never travels.',
})

/** A host has no value for a secret of the program. */
export const SecretMissing = defineError<{ variable: string; host: string }>({
  code: 'jobgraph.secret-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program asks for env.secret('${d.variable}'), but that environment variable is not set in this process on ` +
    `${d.host}. Secrets do not travel: set it where the job is planned and for every TaskManager. Where its value is ` +
    'not used, any text will do.',
})

/** Main does in replay what may happen only once. */
export const SideEffectInReplay = defineError<{ operation: string; target: string; location: string }>({
  code: 'jobgraph.side-effect-in-replay',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program calls ${d.operation}(${d.target}) before env.execute(), at ${d.location}. Main runs again in every ` +
    'slot and after every restart, so this would happen again and again. Wrap it, so that it is done once, where ' +
    `the job is planned: env.capture('name', () => ${d.operation}(...)), or do it after env.execute().`,
})

/** A replay asked for a captured value that planning did not take. */
export const CaptureMissing = defineError<{ name: string; known: readonly string[] }>({
  code: 'jobgraph.capture-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `env.capture('${d.name}') was not called when the job was planned` +
    `${d.known.length === 0 ? '' : ` (captured: ${d.known.join(', ')})`}. Call env.capture with the same names, ` +
    'unconditionally and before env.execute(), in each run of main.',
})

/** Two captures have one name, so that a replay could not tell them apart. */
export const CaptureDuplicate = defineError<{ name: string }>({
  code: 'jobgraph.capture-duplicate',
  domain: 'user',
  retry: 'no',
  message: d => `env.capture('${d.name}') is called twice: give each captured value a name of its own.`,
})

/** An asynchronous capture was not awaited before `execute`. */
export const CapturePending = defineError<{ name: string }>({
  code: 'jobgraph.capture-pending',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The value of env.capture('${d.name}') was not there yet when env.execute() was called: write ` +
    `await env.capture('${d.name}', ...).`,
})

/** A replay of main ended before the `execute` call that makes this job. */
export const ExecuteNotReached = defineError<{ executeIndex: number; reached: number; waitedMs: number }>({
  code: 'jobgraph.execute-not-reached',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The replayed program called env.execute() ${d.reached} time(s), but this job is its call number ` +
    `${d.executeIndex + 1} (waited ${d.waitedMs} ms after its last line). Whether and how often main calls ` +
    'execute must depend only on arguments, captured values and environment variables.',
})

/** Main waits for the clock in a loop, which cannot end in a replay. */
export const ClockLoopInReplay = defineError<{ reads: number }>({
  code: 'jobgraph.clock-loop-in-replay',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program read the clock ${d.reads} times before env.execute(). In a replay the clock stands still at the ` +
    'last recorded reading, so a loop that waits for it never ends: wait with a timer, or inside env.capture.',
})

/** esbuild could not make one module of the program. */
export const BundleFailed = defineError<{ entry: string; problems: readonly string[] }>({
  code: 'jobgraph.bundle-failed',
  domain: 'user',
  retry: 'no',
  message: d => `${d.entry} could not be bundled:\n${d.problems.map(line => `  ${line}`).join('\n')}`,
})

/** esbuild, which compiles programs, is not there or is one for another platform. */
export const CompilerUnavailable = defineError<{ entry: string; platform: string; reason: string }>({
  code: 'jobgraph.compiler-unavailable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.entry} can't be compiled on this machine (${d.platform}): esbuild does not run here: ${d.reason} Install the ` +
    'npm package flink-ts here, or make a bundle where it is installed (flink bundle job.ts -o job.tgz) and run that.',
})

/** The program to bundle is not there or is no program. */
export const BundleEntryInvalid = defineError<{ entry: string; reason: string }>({
  code: 'jobgraph.bundle-entry-invalid',
  domain: 'user',
  retry: 'no',
  message: d => `${d.entry} is no program: ${d.reason}. Give a .ts, .mts, .cts, .js, .mjs or .cjs file.`,
})

/** The program does not export what was named as its main. */
export const EntryNotExported = defineError<{
  entry: string
  entryFunction: string
  known: readonly string[]
}>({
  code: 'jobgraph.entry-not-exported',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.entry} exports no '${d.entryFunction}', which -c names as its main. ` +
    `${d.known.length === 0 ? 'It exports nothing: leave -c out, and what the file does when it is loaded is its main.' : `It exports: ${d.known.join(', ')}.`}`,
})

/** The main of a bundle was named when it was made. */
export const EntryOfBundleFixed = defineError<{ bundle: string; entryFunction: string }>({
  code: 'jobgraph.entry-of-bundle-fixed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.bundle} is a bundle, whose main was chosen when it was made: leave -c out, or make the bundle again with ` +
    `flink bundle -c ${d.entryFunction}.`,
})

/** A bundle is damaged or made to do harm. */
export const BundleInvalid = defineError<{ file: string; reason: string }>({
  code: 'jobgraph.bundle-invalid',
  domain: 'user',
  retry: 'no',
  message: d => `${d.file} is not a valid job bundle: ${d.reason}. Make it again with 'flink bundle'.`,
})

/** A bundle is for another version, Node.js or platform. */
export const BundleIncompatible = defineError<{ file: string; reason: string; remedy: string }>({
  code: 'jobgraph.bundle-incompatible',
  domain: 'user',
  retry: 'no',
  message: d => `${d.file} cannot run here: ${d.reason}. ${d.remedy}`,
})

/** The replay of a program built another topology than the planning run. */
export const ReplayDiffers = defineError<{
  job: string
  position: number
  planned: string
  replayed: string
}>({
  code: 'jobgraph.replay-differs',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program of job ${d.job} built another topology when it ran again in the cluster. ` +
    `First difference at operator ${d.position}: planned '${d.planned}', replayed '${d.replayed}'. ` +
    'What main builds must not depend on the host, on files, on time after execute or on anything else that may ' +
    "differ between two runs: read such values once by env.capture('name', () => value).",
})
