#!/usr/bin/env bash
# Runs the GPU benchmark that pack.sh packed, on x86-64 Linux with an NVIDIA driver, CUDA 13 and cuDNN 9 (the system's,
# or pip's nvidia-* packages); no network, no .NET. Lies beside SHA256SUMS and the pieces.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '%s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

usage="run.sh [--provider cuda|cpu] [--quick] [--only SECTION,…] [--limit SECONDS] [--total SECONDS] [--resume]
       [--out DIR] [--work DIR] [--requests N] [--unpack-only]"
sections=(machine placement parity throughput shapes stages transfers service latency memory race)
provider=cuda quick=0 only= limit= total= resume=0 out="$here/results" work="$here/unpacked" unpack_only=0 more=()
while [ $# -gt 0 ]; do
  case $1 in
    --provider) provider=$2; shift 2 ;;
    --quick) quick=1; shift ;;
    --only) only=$2; shift 2 ;;
    --limit) limit=$2; shift 2 ;;
    --total) total=$2; shift 2 ;;
    --resume) resume=1; shift ;;
    --out) out=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    --requests) more+=(--requests "$2"); shift 2 ;;
    --unpack-only) unpack_only=1; shift ;;
    *) fail "'$1' is unknown: $usage" ;;
  esac
done
case $provider in cuda | cpu) ;; *) fail "--provider is cuda or cpu, not '$provider'." ;; esac
[ -n "$limit" ] || { [ "$quick" = 1 ] && limit=60 || limit=300; }
for number in "$limit" "${total:-1}"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "Seconds must be a whole number above 0, not '$number'."
done
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "This runs on x86-64 Linux; here is $(uname -s) on $(uname -m)."
# Where drivers put their programs, and ldconfig; behind what the caller chose.
PATH="$PATH:/usr/sbin:/sbin:/usr/local/nvidia/bin"
mkdir -p "$out" "$work"
out=$(cd "$out" && pwd) work=$(cd "$work" && pwd)

# Joins and checks the pieces, and unpacks them once.
unpack() {
  local sum name actual bad=0
  [ -f "$here/SHA256SUMS" ] || fail "SHA256SUMS is missing beside run.sh."
  [ -f "$work/.unpacked" ] && cmp -s "$work/.unpacked" "$here/SHA256SUMS" && return 0
  while read -r sum name; do
    if [ ! -f "$here/$name" ]; then
      say "Piece $name is missing."
      bad=1
      continue
    fi
    actual=$(sha256sum "$here/$name")
    if [ "${actual%% *}" != "$sum" ]; then
      say "Piece $name is damaged: its checksum is not the one in SHA256SUMS. Copy it again."
      bad=1
    fi
  done <"$here/SHA256SUMS"
  [ "$bad" = 0 ] || exit 1
  say "Unpacking …"
  # Never the whole folder: it is the caller's.
  rm -rf "$work/.unpacked" "$work/program" "$work/models" "$work/images" "$work/annotated" "$work/openssl"
  while read -r sum name; do cat "$here/$name"; done <"$here/SHA256SUMS" | gzip -dc | tar -xf - -C "$work"
  cp "$here/SHA256SUMS" "$work/.unpacked"
}
unpack
[ "$unpack_only" = 0 ] || exit 0
program="$work/program/Fpn.Benchmarks"
provider_library="$work/program/libonnxruntime_providers_cuda.so"

# Every python3 that there is: one of them may have torch, and pip's CUDA libraries beside it.
pythons() {
  {
    type -ap python3 || true
    local candidate
    for candidate in "${VIRTUAL_ENV:-}"/bin/python3 "${CONDA_PREFIX:-}"/bin/python3 \
      /usr/bin/python3 /usr/local/bin/python3 /opt/*/bin/python3 /opt/*/.venv/bin/python3; do
      [ ! -x "$candidate" ] || printf '%s\n' "$candidate"
    done
  } | awk '!seen[$0]++'
}

original_path=${LD_LIBRARY_PATH:-}
add_library_folder() {
  case ":${LD_LIBRARY_PATH:-}:" in
    *":$1:"*) ;;
    *) LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$1" ;;
  esac
}

find_cuda() {
  local folder python missing
  for folder in /usr/local/cuda/lib64 /usr/local/cuda-13*/lib64 /usr/local/cuda-13*/targets/x86_64-linux/lib \
    /usr/local/nvidia/lib64; do
    [ ! -d "$folder" ] || add_library_folder "$folder"
  done
  while read -r python; do
    while read -r folder; do
      add_library_folder "$folder"
    done < <("$python" -c 'import glob, os, site, sys
for place in dict.fromkeys(sys.path + site.getsitepackages() + [site.getusersitepackages()]):
    for folder in sorted(glob.glob(os.path.join(place, "nvidia", "*", "lib"))):
        print(folder)' 2>/dev/null || true)
  done < <(pythons)
  export LD_LIBRARY_PATH
  command -v nvidia-smi >/dev/null || say "There is no nvidia-smi: the memory of the GPU will not be measured."
  # What the provider is linked to, and cuDNN, which it opens by itself.
  missing=$(ldd "$provider_library" 2>/dev/null | sed -nE 's/^\s*(\S+) => not found$/\1/p' || true)
  find_library libcudnn.so.9 || missing="$missing libcudnn.so.9"
  # shellcheck disable=SC2086
  set -- $missing
  [ $# = 0 ] || fail "Not found: $*. CUDA 13 and cuDNN 9 are needed, installed for the system or by pip (nvidia-*);" \
    "LD_LIBRARY_PATH may name other folders. --provider cpu tries all else."
}

find_library() {
  local folder
  while read -r folder; do
    [ ! -e "$folder/$1" ] || return 0
  done < <(tr ':' '\n' <<<"${LD_LIBRARY_PATH:-}")
  ldconfig -p 2>/dev/null | grep -qF "$1 "
}

if [ "$provider" = cuda ]; then
  [ -f "$provider_library" ] || fail "This was packed without the CUDA provider; --provider cpu tries all else."
  find_cuda
fi
find_library libssl.so.3 || { add_library_folder "$work/openssl" && export LD_LIBRARY_PATH; }
torch=
while read -r candidate; do
  if "$candidate" -c 'import torch, torchvision' 2>/dev/null; then
    torch=$candidate
    break
  fi
done < <(pythons)
[ -n "$torch" ] || say "No python3 with torch and torchvision was found: there will be no race."

[ -z "$only" ] || IFS=, read -r -a sections <<<"$only"
[ "$quick" = 0 ] || more+=(--quick)
[ ! -d "$work/annotated" ] || more+=(--annotated "$work/annotated")
[ -z "$torch" ] || more+=(--python "$torch")
# What .NET would else write into the home folder, or open a socket for.
export DOTNET_EnableDiagnostics=0 DOTNET_CLI_TELEMETRY_OPTOUT=1

# Each section is a process of its own: one that crashes or hangs costs the others nothing, and is in the report.
status=0
for section in "${sections[@]}"; do
  if [ "$resume" = 1 ] && grep -q '"state": "Done"' "$out/sections/$section.json" 2>/dev/null; then
    say "$section: done before"
    continue
  fi
  # What begins just before the limit may end a while after it.
  allowed=$limit grace=60
  if [ -n "$total" ]; then
    left=$((total - SECONDS))
    if [ "$left" -lt 20 ]; then
      say "$section: not begun, the time is up; --resume goes on from here"
      status=1
      continue
    fi
    if [ $((allowed + grace)) -gt "$left" ]; then
      grace=$((left / 4))
      allowed=$((left - grace))
    fi
  fi
  # torch finds its own libraries, and must not be given others'.
  path=${LD_LIBRARY_PATH:-}
  [ "$section" != race ] || path=$original_path
  code=0
  LD_LIBRARY_PATH=$path timeout --kill-after=10 $((allowed + grace)) "$program" gpu --models "$work/models" \
    --images "$work/images" --out "$out" --provider "$provider" --only "$section" --limit "$allowed" \
    ${more[@]+"${more[@]}"} 2>&1 | tee -a "$out/log.txt" || code=$?
  case $code in
    0) ;;
    124 | 137) say "$section: ended, it took longer than $((allowed + grace)) s"; status=1 ;;
    2) exit 2 ;;
    *) status=1 ;;
  esac
done
"$program" gpu --out "$out" --report-only
say "Report: $out/report.md and $out/report.json"
exit $status
