import { fileURLToPath } from 'node:url'

/**
 * One line of a stack: `file:line:column`, the file as a path. Sources of a bundle that ran on a TaskManager have paths
 * relative to the project.
 */
const FRAME =
  /^at (?:async )?(?:.* \()?((?:file:\/\/)?(?:\/|[A-Za-z]:\\)[^()]*?:\d+:\d+|[^():<>]+\.[cm]?[jt]sx?:\d+:\d+)\)?$/

/**
 * Where the user's code is in a stack: the first frame outside Node.js, the runtime and installed packages; else the
 * first one outside Node.js. Source maps are applied already if they are switched on.
 */
export function userFrame(stack: string): string {
  const frames = framesOf(stack)
  return frames.find(frame => !isLibrary(frame)) ?? frames[0] ?? 'an unknown place'
}

/** The first frame of a stack that is in the user's own code, as `file:line:column`; undefined: there is none. */
export function userFrameOf(stack: string): string | undefined {
  return framesOf(stack).find(frame => !isLibrary(frame))
}

function framesOf(stack: string): string[] {
  const frames: string[] = []
  for (const line of stack.split('\n')) {
    const location = FRAME.exec(line.trim())?.[1]
    if (location === undefined) continue
    frames.push(location.startsWith('file://') ? fileURLToPath(location.replace(/\?[^:]*/, '')) : location)
  }
  return frames
}

function isLibrary(frame: string): boolean {
  const path = frame.replaceAll('\\', '/')
  return (
    path.includes('/node_modules/') ||
    path.startsWith('node_modules/') ||
    path.startsWith(GENERATED) ||
    path.startsWith(RUNTIME_PACKAGES)
  )
}

// Two folders up from this one (src or dist) is the package; beside it are the other packages of the runtime, in a
// checkout; installed ones are found by `node_modules`.
const RUNTIME_PACKAGES = fileURLToPath(new URL('../../../', import.meta.url)).replaceAll('\\', '/')

/** Name of code that the runtime generates. */
const GENERATED = 'flink-ts/'
