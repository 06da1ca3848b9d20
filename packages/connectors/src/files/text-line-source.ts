import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type FileInput, type FileStatus, fileSystemFor } from '@flink-ts/filesystem'
import type {
  ReaderOutput,
  Source,
  SourceReader,
  SourceReaderContext,
  SplitEnumerator,
  SplitEnumeratorContext,
} from '@flink-ts/operators'
import { FileChanged, FileNotUnpackable, LineTooLong } from '../errors.ts'
import { type Block, type BlockLoader, BlockReader } from './block-reader.ts'
import { type FileEnumeratorState, FileSplitEnumerator } from './file-split-enumerator.ts'

/** The lines that begin in bytes `[position, end)` of a file. */
export interface TextSplit {
  readonly index: number
  readonly uri: string
  /**
   * Where to go on. If it is not the beginning of a line, that line belongs to the split before. In `.gz` files
   * positions count unpacked bytes.
   */
  readonly position: number
  readonly end: number
}

export interface TextLineSourceOptions {
  /** Files or folders. */
  readonly uris: readonly string[]
  readonly splitBytes: number
  /** How much is read at a time. */
  readonly blockBytes: number
  /** Looks for new files this often; absent: once. */
  readonly discoveryIntervalMs?: number | undefined
}

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const MAX_LINE_BYTES = 256 * 2 ** 20
const unpack = promisify(gunzip)

type TextEnumeratorState = FileEnumeratorState<TextSplit>
type TextEnumerator = SplitEnumerator<TextSplit, TextEnumeratorState>

/** Reads UTF-8 text by lines; files are split at line ends. See {@link FileSource.forTextLines}. */
export class TextLineSource implements Source<string, TextSplit, TextEnumeratorState> {
  readonly boundedness: 'bounded' | 'unbounded'
  readonly kind = 'text'
  readonly #options: TextLineSourceOptions

  constructor(options: TextLineSourceOptions) {
    this.#options = options
    this.boundedness = options.discoveryIntervalMs === undefined ? 'bounded' : 'unbounded'
  }

  createEnumerator(context: SplitEnumeratorContext<TextSplit>): TextEnumerator {
    return this.#enumerator(context, undefined)
  }

  restoreEnumerator(context: SplitEnumeratorContext<TextSplit>, state: TextEnumeratorState): TextEnumerator {
    return this.#enumerator(context, state)
  }

  createReader(context: SourceReaderContext): SourceReader<string, TextSplit> {
    return new BlockReader(context, new LineLoader(this.#options.blockBytes))
  }

  #enumerator(
    context: SplitEnumeratorContext<TextSplit>,
    restored: TextEnumeratorState | undefined,
  ): TextEnumerator {
    const { uris, splitBytes, discoveryIntervalMs } = this.#options
    const splitsOf = async (file: FileStatus) => splitsOfText(file, splitBytes)
    return new FileSplitEnumerator<TextSplit>({ uris, splitsOf, discoveryIntervalMs }, context, restored)
  }
}

function splitsOfText(
  { uri, sizeBytes }: FileStatus,
  splitBytes: number,
): readonly Omit<TextSplit, 'index'>[] {
  if (isPacked(uri)) return [{ uri, position: 0, end: Number.MAX_SAFE_INTEGER }]
  return Array.from({ length: Math.ceil(sizeBytes / splitBytes) }, (_, i) => {
    const position = i * splitBytes
    return { uri, position, end: Math.min(sizeBytes, position + splitBytes) }
  })
}

/** Keeps the last file open, since its blocks mostly follow one another. */
class LineLoader implements BlockLoader<string, TextSplit> {
  readonly #blockBytes: number
  #opened: { readonly uri: string; readonly input: FileInput } | undefined

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes
  }

  async load(split: TextSplit): Promise<Block<string, TextSplit>> {
    const input = await this.#open(split.uri)
    const { position } = split
    const end = Math.min(split.end, input.sizeBytes)
    if (split.end !== Number.MAX_SAFE_INTEGER && input.sizeBytes < split.end) {
      const reason = `it had at least ${split.end} bytes and now has ${input.sizeBytes}`
      throw FileChanged({ uri: split.uri, reason })
    }
    // One byte before: it tells whether a line begins here.
    const from = Math.max(0, position - 1)
    const wanted = Math.min(this.#blockBytes, end - position) + (position - from)
    const bytes = await this.#readLines(split.uri, input, from, wanted)
    const begin = position === 0 ? 0 : bytes.indexOf(NEWLINE) + 1
    const noLineBegins = position > 0 && begin === 0
    const stop = from + bytes.length
    const rest = stop < end ? { ...split, position: stop } : undefined
    return lineBlock(
      split,
      noLineBegins ? bytes.subarray(bytes.length) : bytes.subarray(begin),
      stop,
      end,
      rest,
    )
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.input.close()
  }

  async #open(uri: string): Promise<FileInput> {
    if (this.#opened?.uri !== uri) {
      await this.close()
      const input = await fileSystemFor(uri).open(uri)
      this.#opened = { uri, input: isPacked(uri) ? await unpacked(uri, input) : input }
    }
    return this.#opened.input
  }

  /** Bytes from `from` on: `wanted`, and more up to the end of a line or of the file. */
  async #readLines(uri: string, input: FileInput, from: number, wanted: number): Promise<Buffer> {
    let bytes = await input.read(from, wanted)
    // The last line of the block goes on, maybe into the next split.
    let searchFrom = Math.max(0, bytes.length - 1)
    for (let more = this.#blockBytes; from + bytes.length < input.sizeBytes; more *= 2) {
      const newline = bytes.indexOf(NEWLINE, searchFrom)
      if (newline >= 0) return bytes.subarray(0, newline + 1)
      if (bytes.length > MAX_LINE_BYTES)
        throw LineTooLong({ uri, position: from, limitBytes: MAX_LINE_BYTES })
      searchFrom = bytes.length
      const next = await input.read(from + bytes.length, more)
      if (next.length === 0) throw FileChanged({ uri, reason: `it ends at byte ${from + bytes.length} now` })
      bytes = Buffer.concat([bytes, next])
    }
    const newline = bytes.indexOf(NEWLINE, searchFrom)
    return newline < 0 ? bytes : bytes.subarray(0, newline + 1)
  }
}

/**
 * @param bytes whole lines, the last of which ends at `stop`
 * @param end lines that begin from here on belong to the next split
 */
function lineBlock(
  split: TextSplit,
  bytes: Buffer,
  stop: number,
  end: number,
  rest: TextSplit | undefined,
): Block<string, TextSplit> {
  const origin = stop - bytes.length
  let at = 0
  let emitted = false
  return {
    rest,
    // Before the first line the position stays what it was.
    split: () => (emitted ? { ...split, position: origin + at } : split),
    emit(max: number, output: ReaderOutput<string>): boolean {
      for (let n = 0; n < max && at < bytes.length && origin + at < end; n++) {
        const newline = bytes.indexOf(NEWLINE, at)
        const lineEnd = newline < 0 ? bytes.length : newline
        const textEnd = lineEnd > at && bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd
        const line = bytes.toString('utf8', at, textEnd)
        at = newline < 0 ? bytes.length : newline + 1
        emitted = true
        output.collect(line)
      }
      return at >= bytes.length || origin + at >= end
    },
  }
}

function isPacked(uri: string): boolean {
  return uri.endsWith('.gz')
}

/** The content of a `.gz` file as a file of its own, in memory. */
async function unpacked(uri: string, input: FileInput): Promise<FileInput> {
  try {
    const packed = await input.read(0, input.sizeBytes)
    const content = await unpack(packed).catch((error: Error) => {
      throw FileNotUnpackable({ uri, reason: error.message }, error)
    })
    return {
      sizeBytes: content.length,
      read: (offset, length) => Promise.resolve(content.subarray(offset, offset + length)),
      close: () => Promise.resolve(),
    }
  } finally {
    await input.close()
  }
}
