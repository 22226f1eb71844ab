# Sourced by run.sh, fpn and test.sh: looks for .NET, builds the service.
# Expects: root (the repository's folder).

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

require_dotnet() {
  command -v dotnet >/dev/null 2>&1 || fail "The .NET SDK 10 is missing: install it (https://dot.net) and try again."
  dotnet --list-sdks | grep -q '^10\.' || fail "The .NET SDK 10 is missing; found only: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' '). Install it (https://dot.net) and try again."
}

# The service into $service, unless nothing changed since the last time.
publish_service() {
  service="$root/artifacts/service"
  local stamp="$service/.published"
  local inputs=("$root/src" "$root/docs/sample" "$root/Directory.Build.props" "$root/Directory.Packages.props" "$root/global.json")
  [ -f "$stamp" ] && [ -z "$(find "${inputs[@]}" \( -name bin -o -name obj \) -prune -o -newer "$stamp" -print -quit)" ] && return 0
  say "Building …"
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  dotnet publish "$root/src/Fpn.Service" -c Release -o "$service" --nologo -v quiet -clp:NoSummary >&2
  touch "$stamp"
}
