#!/usr/bin/env bash
# Checks the built admin UI: form, components, and in a browser on the whole installation.
# usage: check.sh FILE   the file gets {"passed": N, "failed": N}
set -uo pipefail
report=$(realpath -m "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# While the installation starts and the browser waits for trainings, the processors have time for the components.
{
    rc=0
    npm run --silent lint || rc=1
    npx vitest run --reporter=default --reporter=json --outputFile.json="$work/components.json" || rc=1
    exit "$rc"
} >"$work/components.log" 2>&1 &
components=$!
if CHROMIUM=$(./find-chromium.sh); then
    export CHROMIUM
    PLAYWRIGHT_JSON_OUTPUT_FILE="$work/browser.json" PLAYWRIGHT_OUTPUT="$work/output" npx playwright test || status=1
else
    status=1
fi

wait "$components" || status=1
cat "$work/components.log"

# A report that is missing is a failure of its own.
node --input-type=module - "$work" >"$report" <<'JS'
import { readFileSync } from 'node:fs';

const read = (name, count) => {
  try {
    return count(JSON.parse(readFileSync(`${process.argv[2]}/${name}.json`, 'utf8')));
  } catch {
    return { passed: 0, failed: 1 };
  }
};
const parts = [
  read('components', (it) => ({ passed: it.numPassedTests, failed: it.numFailedTests })),
  read('browser', ({ stats }) => ({ passed: stats.expected, failed: stats.unexpected + stats.flaky })),
];
const sum = (member) => parts.reduce((total, part) => total + part[member], 0);
console.log(JSON.stringify({ passed: sum('passed'), failed: sum('failed') }));
JS
exit "$status"
