// Owns: the command line `flink`.
// Called by: flink-ts (its binary), bin/flink (through cli-main.ts).
// Calls: client (cluster), jobgraph (bundles, planning), common.
// Thread: the main thread of its process.
export { type Commands, runCli } from './cli.ts'
export { processTerminal, type Terminal } from './terminal.ts'
