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

/**
 * A stack as it helps its reader: what is not the user's own code is folded into lines that count it.
 * @param strange what becomes of a stack without a frame of the user: where the fault may be ours it is `kept`
 */
export function foldFrames(stack: string, strange: 'kept' | 'folded' = 'kept'): string {
  if (strange === 'kept' && userFrameOf(stack) === undefined) return stack
  const lines: string[] = []
  let hidden = 0
  const fold = (): void => {
    if (hidden > 0)
      lines.push(`    ... ${hidden} ${hidden === 1 ? 'frame' : 'frames'} of flink-ts, packages and Node.js`)
    hidden = 0
  }
  for (const line of stack.split('\n')) {
    const frame = frameOf(line)
    if (/^\s+at /.test(line) && (frame === undefined || isLibrary(frame))) {
      hidden++
      continue
    }
    fold()
    lines.push(line)
  }
  fold()
  return lines.join('\n')
}

function framesOf(stack: string): string[] {
  return stack.split('\n').flatMap(line => frameOf(line) ?? [])
}

function frameOf(line: string): string | undefined {
  const location = FRAME.exec(line.trim())?.[1]
  if (location === undefined) return undefined
  return location.startsWith('file://') ? fileURLToPath(location.replace(/\?[^:]*/, '')) : location
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

const HERE = fileURLToPath(import.meta.url).replaceAll('\\', '/')
// In a checkout the folder of all packages, this code being in a package or in the bundle of the runtime; on a host, where
// there are only bundles, theirs. Installed packages are found by `node_modules`.
const RUNTIME_PACKAGES =
  /^(.*\/packages\/)(?:jobgraph|flink-ts)\//.exec(HERE)?.[1] ??
  HERE.slice(0, HERE.lastIndexOf('/', HERE.lastIndexOf('/') - 1) + 1)

/** Name of code that the runtime generates. */
const GENERATED = 'flink-ts/'
