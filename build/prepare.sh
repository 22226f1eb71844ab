# Sourced by run.sh, fpn, test.sh and benchmarks/gpu/pack.sh: looks for .NET, builds the service and the tool.
# Expects: root (the repository's folder).

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

require_dotnet() {
  command -v dotnet >/dev/null 2>&1 || fail "The .NET SDK 10 is missing: install it (https://dot.net) and try again."
  dotnet --list-sdks | grep -q '^10\.' ||
    fail "The .NET SDK 10 is missing; found only: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' ')." \
      "Install it (https://dot.net) and try again."
}

# Each builds its program into a folder, $service or $tool, unless nothing has changed since the last time.
publish_service() {
  service="$root/artifacts/service"
  publish_if_changed Fpn.Service "$service" "$root/src" "$root/docs/sample"
}

publish_tool() {
  tool="$root/artifacts/tool"
  publish_if_changed Fpn.Tool "$tool" \
    "$root"/src/{Fpn.{Detection,Imaging,Models,Serving,Settings,Tool},*.props,*.targets}
}

publish_if_changed() { # project, folder for its files, files and folders that it is built from …
  local project=$1 folder=$2
  local stamp="$folder/.published"
  local inputs=("${@:3}" "$root"/{Directory.Build.props,Directory.Packages.props,global.json})
  if [ -f "$stamp" ]; then
    local newer
    newer=$(find "${inputs[@]}" \( -name bin -o -name obj \) -prune -o -newer "$stamp" -print -quit)
    [ -n "$newer" ] || return 0
  fi
  say "Building …"
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  dotnet publish "$root/src/$project" -c Release -o "$folder" --nologo -v quiet -clp:NoSummary >&2
  touch "$stamp"
}
