#!/usr/bin/env bash
# Builds the admin UI into dist/ when something of it has changed since the last time.
set -euo pipefail
cd "$(dirname "$0")"

installed=node_modules/.installed-lock.json
if ! cmp -s package-lock.json "$installed"; then
    npm ci
    cp package-lock.json "$installed"
fi

# A folder is newer too when a file of it is gone.
changed() {
    [ ! -f dist/index.html ] || [ -n "$(find src public index.html package-lock.json postcss.config.cjs tsconfig.json vite.config.ts \
        ../docs/openapi.json -newer dist/index.html -not -name schema.d.ts -not -path src/api -print -quit)" ]
}
if changed; then
    npm run build
fi
