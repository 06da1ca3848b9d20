#!/usr/bin/env bash
# build.sh TARGET: builds this source tree and installs what runs into TARGET.
set -euo pipefail
target=${1:?usage: build.sh TARGET}
cd "$(dirname "$0")/.."

node tools/setup.mjs

mkdir -p "$target"
cp -R bin conf docker package.json package-lock.json .npmrc "$target"
for package in packages/* examples/*; do
  mkdir -p "$target/$package"
  for part in package.json data dist lib; do
    [ ! -e "$package/$part" ] || cp -R "$package/$part" "$target/$package"
  done
done
for example in examples/*; do
  [ ! -d "$example/src" ] || cp -R "$example/src" "$target/$example"
done

cd "$target"
npm ci --omit=dev --no-audit --no-fund --loglevel=error
# The image has its own Node.
rm -rf node_modules/node-linux-* node_modules/node-win-* node_modules/.bin/node
