# Sourced by ./run and ./test: the two tools that are not fetched, with words on how to get them.
command -v dotnet >/dev/null || { echo "The .NET SDK of global.json is missing: https://dotnet.microsoft.com/download" >&2; exit 2; }
command -v npm >/dev/null || { echo "Node.js 20 or newer with npm is missing: https://nodejs.org" >&2; exit 2; }
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
