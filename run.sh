#!/usr/bin/env bash
# Everything from a fresh clone, then serves the default model in the foreground on http://0.0.0.0:8080.
# Arguments go to the service: ./run.sh --urls http://127.0.0.1:9000 --Fpn:Models:Default=blood-cells
# FPN_GPU=1 also fetches the CUDA execution provider.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/build/prepare.sh"

require_tools
install_native_libraries

service="$root/artifacts/service"
stamp="$service/.published"
inputs=("$root/src" "$root/docs/sample" "$root/package-lock.json" "$root/Directory.Build.props" "$root/Directory.Packages.props" "$root/global.json" "$root/node_modules/.installed")
if [ ! -f "$stamp" ] || [ -n "$(find "${inputs[@]}" \( -name bin -o -name obj \) -prune -o -newer "$stamp" -print -quit)" ]; then
  say "Building …"
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  dotnet publish "$root/src/Fpn.Service" -c Release -o "$service" --nologo -v quiet -clp:NoSummary >&2
  touch "$stamp"
fi

export ASPNETCORE_URLS="${ASPNETCORE_URLS:-http://0.0.0.0:8080}"
export Fpn__Models__Path="${Fpn__Models__Path:-$root/models}"
exec dotnet "$service/Fpn.Service.dll" --contentRoot "$service" "$@"
