# Sourced by run.sh, fpn and test.sh: looks for the tools that a build needs, fetches the native libraries, builds the service.
# Expects: root (the repository's folder).

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

require_tools() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "Fpn.Service builds and runs on x86-64 Linux; this is $(uname -s) on $(uname -m)."
  command -v dotnet >/dev/null 2>&1 || fail "The .NET SDK 10 is missing: install it (https://dot.net) and try again."
  dotnet --list-sdks | grep -q '^10\.' || fail "The .NET SDK 10 is missing; found only: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' '). Install it (https://dot.net) and try again."
  command -v npm >/dev/null 2>&1 || fail "Node.js with npm is missing (it fetches the native libraries): install Node.js 20 or later (https://nodejs.org) and try again."
}

# Runs a long download in the background and prints every few seconds how much has arrived, where nothing else would.
with_progress() { # folder that grows, expected MB, command …
  local grows=$1 expected=$2 before now
  shift 2
  before=$(du -sm "$grows" 2>/dev/null | cut -f1)
  "$@" &
  local job=$!
  (
    while sleep 3; do
      now=$(du -sm "$grows" 2>/dev/null | cut -f1)
      say "  … $((${now:-0} - ${before:-0})) of about $expected MB"
    done
  ) &
  local ticker=$!
  local status=0
  wait "$job" || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  return "$status"
}

# The npm packages, once for each state of the lock file. FPN_GPU=1 adds the CUDA provider.
install_native_libraries() {
  local stamp="$root/node_modules/.installed" wanted expected=180 optional=--omit=optional
  [ "${FPN_GPU:-0}" = 1 ] && { optional=--include=optional; expected=360; }
  wanted="$optional $(cksum <"$root/package-lock.json")"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  say "Fetching ONNX Runtime and what builds the page (about $expected MB, once) …"
  local cache
  cache=$(npm config get cache 2>/dev/null)
  mkdir -p "$cache"
  (cd "$root" && with_progress "$cache" "$expected" npm ci "$optional" --no-audit --no-fund --loglevel=error) ||
    fail "npm could not fetch the native libraries; its message is above. Check the network and try again."
  printf '%s' "$wanted" >"$stamp"
}

# The service into $service, unless nothing changed since the last time.
publish_service() {
  service="$root/artifacts/service"
  local stamp="$service/.published"
  local inputs=("$root/src" "$root/docs/sample" "$root/package-lock.json" "$root/Directory.Build.props" "$root/Directory.Packages.props" "$root/global.json" "$root/node_modules/.installed")
  [ -f "$stamp" ] && [ -z "$(find "${inputs[@]}" \( -name bin -o -name obj \) -prune -o -newer "$stamp" -print -quit)" ] && return 0
  say "Building …"
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  dotnet publish "$root/src/Fpn.Service" -c Release -o "$service" --nologo -v quiet -clp:NoSummary >&2
  touch "$stamp"
}
