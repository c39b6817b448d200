#!/usr/bin/env bash
# Prints where Chromium is; installs Debian's own when there is none and this is root.
set -euo pipefail
find_it() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if [ -n "${CHROMIUM:-}" ]; then
    echo "$CHROMIUM"
elif ! find_it; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "The tests of the admin UI need Chromium: install it, or name it in CHROMIUM." >&2
        exit 2
    fi
    { apt-get update && apt-get install -y --no-install-recommends chromium; } >&2
    find_it
fi
