/** Where the command line writes. Tests give their own. */
export interface Terminal {
  /** Results: one line. */
  print(line: string): void
  /** Errors and hints: one line. */
  complain(line: string): void
  /** A line that is replaced by the next; only for terminals. Undefined: removes it. */
  showStatus(line: string | undefined): void
  readonly interactive: boolean
}

/** The terminal of this process. The status line goes to standard error, so that output can be piped. */
export function processTerminal(): Terminal {
  const interactive = process.stderr.isTTY === true
  let shown = false
  const showStatus = (line: string | undefined): void => {
    if (!interactive || (line === undefined && !shown)) return
    shown = line !== undefined
    const width = process.stderr.columns ?? 80
    process.stderr.write(`\r\u001b[2K${line === undefined ? '' : line.slice(0, width - 1)}`)
  }
  return {
    interactive,
    showStatus,
    print(line) {
      showStatus(undefined)
      process.stdout.write(`${line}\n`)
    },
    complain(line) {
      showStatus(undefined)
      process.stderr.write(`${line}\n`)
    },
  }
}
