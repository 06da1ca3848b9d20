import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A function in a profile of V8. */
export interface CallFrame {
  readonly functionName: string
  readonly url: string
  /** From 0. */
  readonly lineNumber: number
  /** From 0. */
  readonly columnNumber: number
}

/** What V8's profiler gives, as far as it is needed. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  /** Ids of nodes. */
  readonly samples?: readonly number[]
}

/** Says where functions of a thread are, as people look for them: the job's code by its source map. */
export class SourcePositions {
  readonly #moduleUrl: string
  readonly #folderUrl: string
  /** Undefined: the module is run as it was written. Loaded when it is needed: it may be large. */
  #map: { readonly value: SourceMap | undefined } | undefined

  /** @param moduleUrl of the job's code */
  constructor(moduleUrl: string) {
    this.#moduleUrl = moduleUrl
    this.#folderUrl = moduleUrl.slice(0, moduleUrl.lastIndexOf('/') + 1)
  }

  /** Whether it is code of the job. */
  isUsers({ url }: CallFrame): boolean {
    return url.split('?')[0] === this.#moduleUrl
  }

  /** `processElement (src/job.ts:42)`. */
  describe(frame: CallFrame): string {
    const { functionName, url, lineNumber, columnNumber } = frame
    const name = functionName === '' ? 'a function' : functionName
    if (!this.isUsers(frame)) {
      // Of what is generated or built in, the name is all there is.
      const file = url.split('?')[0]?.split('/').at(-1) ?? ''
      return file === '' || url.startsWith('flink-ts/') ? name : `${name} (${file}:${lineNumber + 1})`
    }
    this.#map ??= { value: sourceMapOf(this.#moduleUrl) }
    const entry = this.#map.value?.findEntry(lineNumber, columnNumber)
    if (entry !== undefined && 'originalSource' in entry)
      return `${name} (${entry.originalSource.replace(this.#folderUrl, '')}:${entry.originalLine + 1})`
    return `${name} (${this.#moduleUrl.slice(this.#folderUrl.length)}:${lineNumber + 1})`
  }
}

function sourceMapOf(moduleUrl: string): SourceMap | undefined {
  if (!moduleUrl.startsWith('file:')) return undefined
  const file = `${fileURLToPath(moduleUrl)}.map`
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8')) as never) : undefined
}
