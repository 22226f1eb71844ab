#!/usr/bin/env bash
# Builds the service if need be, and serves the default model in the foreground on http://0.0.0.0:8080.
# Arguments go to the service: ./run.sh --urls http://127.0.0.1:9000 --Fpn:Models:Default=blood-cells
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/build/prepare.sh"

require_dotnet
publish_service

export ASPNETCORE_URLS="${ASPNETCORE_URLS:-http://0.0.0.0:8080}"
export Fpn__Models__Path="${Fpn__Models__Path:-$root/models}"
exec dotnet "$service/Fpn.Service.dll" --contentRoot "$service" "$@"
