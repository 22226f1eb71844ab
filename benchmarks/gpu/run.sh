#!/usr/bin/env bash
# Runs the GPU benchmark that pack.sh packed, on x86-64 Linux with an NVIDIA driver, CUDA 13 and cuDNN 9 (the system's,
# or pip's nvidia-* packages); no network, no .NET. Lies beside torch_race.py, SHA256SUMS and the pieces.
set -euo pipefail
SECONDS=0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '%s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

usage="run.sh [--provider cuda|cpu] [--quick] [--only SECTION,…] [--models NAME,…] [--variants NAME,…] [--batches N,…]
       [--limit SECONDS] [--total SECONDS] [--resume] [--package DIR] [--out DIR] [--copy-to DIR] [--work DIR]
       [--requests N] [--unpack-only]"
sections=(machine placement throughput shapes parity service stages latency memory transfers race)
# Seconds that each may take at most.
declare -A caps=([machine]=40 [placement]=40 [throughput]=120 [shapes]=45 [parity]=90 [service]=100 [stages]=40
  [latency]=45 [memory]=70 [transfers]=20 [race]=120)
# What a section needs to be worth beginning.
least=12
provider=cuda quick=0 only= limit= total= resume=0 unpack_only=0
out="$here/results" work="$here/unpacked" copy_to= package= more=()
while [ $# -gt 0 ]; do
  case $1 in
    --provider) provider=$2; shift 2 ;;
    --quick) quick=1; shift ;;
    --only) only=$2; shift 2 ;;
    --models | --variants | --batches | --requests) more+=("$1" "$2"); shift 2 ;;
    --limit) limit=$2; shift 2 ;;
    --total) total=$2; shift 2 ;;
    --resume) resume=1; shift ;;
    --out) out=$2; shift 2 ;;
    --package) package=$2; shift 2 ;;
    --copy-to) copy_to=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    --unpack-only) unpack_only=1; shift ;;
    *) fail "'$1' is unknown: $usage" ;;
  esac
done
case $provider in cuda | cpu) ;; *) fail "--provider is cuda or cpu, not '$provider'." ;; esac
for number in "${limit:-1}" "${total:-1}"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "Seconds must be a whole number above 0, not '$number'."
done
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "This runs on x86-64 Linux; here is $(uname -s) on $(uname -m)."
# Where drivers put their programs, and ldconfig; behind what the caller chose.
PATH="$PATH:/usr/sbin:/sbin:/usr/local/nvidia/bin"
mkdir -p "$out" "$work" ${copy_to:+"$copy_to"}
out=$(cd "$out" && pwd) work=$(cd "$work" && pwd)
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

# Folders of CUDA's libraries, and the first python3 that has torch; asked without importing it, which takes seconds.
torch=
python_folders=()
ask_pythons() {
  local python line
  while read -r python; do
    while read -r line; do
      case $line in
        torch) [ -n "$torch" ] || torch=$python ;;
        *) python_folders+=("$line") ;;
      esac
    done < <("$python" -c 'import glob, importlib.util, os, site, sys
if all(map(importlib.util.find_spec, ("torch", "torchvision"))):
    print("torch")
for place in dict.fromkeys(sys.path + site.getsitepackages() + [site.getusersitepackages()]):
    for folder in sorted(glob.glob(os.path.join(place, "nvidia", "*", "lib"))):
        print(folder)' 2>/dev/null || true)
  done < <(pythons)
}

# Joins and checks the pieces, and unpacks them once.
unpack() {
  local sum name actual missing=()
  [ -f "$here/SHA256SUMS" ] || fail "SHA256SUMS is missing beside run.sh."
  [ -f "$work/.unpacked" ] && cmp -s "$work/.unpacked" "$here/SHA256SUMS" && return 0
  while read -r sum name; do
    if [ ! -f "$here/$name" ]; then
      say "Piece $name is missing."
      missing+=("$name")
      continue
    fi
    actual=$(sha256sum "$here/$name")
    if [ "${actual%% *}" != "$sum" ]; then
      say "Piece $name is damaged: its checksum is not the one in SHA256SUMS. Copy it again."
      missing+=("$name")
    fi
  done <"$here/SHA256SUMS"
  [ ${#missing[@]} = 0 ] ||
    fail "Needed beside run.sh for everything but --only race: ${missing[*]}."
  say "Unpacking …"
  # Never the whole folder: it is the caller's.
  rm -rf "$work/.unpacked" "$work/program" "$work/models" "$work/images" "$work/annotated" "$work/openssl"
  # Archives one after the other, hence -i; xz is no part of every system, Python's own is.
  while read -r sum name; do cat "$here/$name"; done <"$here/SHA256SUMS" | decompress | tar -xif - -C "$work"
  cp "$here/SHA256SUMS" "$work/.unpacked"
  say "Unpacked after $SECONDS s."
}

decompress() {
  if command -v xz >/dev/null; then
    xz -dc -T0
  else
    python3 -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.stdin.buffer), sys.stdout.buffer, 1 << 20)'
  fi
}

original_path=${LD_LIBRARY_PATH:-}
add_library_folder() {
  case ":${LD_LIBRARY_PATH:-}:" in
    *":$1:"*) ;;
    *) LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$1" ;;
  esac
}

find_cuda() {
  local folder missing
  # pip's first: they came together with their cuDNN.
  for folder in ${python_folders[@]+"${python_folders[@]}"} /usr/local/cuda/lib64 /usr/local/cuda-13*/lib64 \
    /usr/local/cuda-13*/targets/x86_64-linux/lib /usr/local/nvidia/lib64; do
    [ ! -d "$folder" ] || add_library_folder "$folder"
  done
  export LD_LIBRARY_PATH
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
  ldconfig -p 2>/dev/null | grep -F "$1 " >/dev/null
}

# Copies the results so far to where the caller wants them, so that ending this script loses only the rest.
copy_results() {
  local file
  [ -n "$copy_to" ] || return 0
  for file in "$out"/results-*.json "$out"/report.md "$out"/log.txt "$out"/torch.json; do
    [ ! -f "$file" ] || cp "$file" "$copy_to/"
  done
}

# Seconds for a section: its own, or what is left.
time_for() {
  local seconds=${limit:-${caps[$1]:-60}}
  [ -z "$total" ] || [ "$seconds" -le $((total - SECONDS - 4)) ] || seconds=$((total - SECONDS - 4))
  printf '%s' "$seconds"
}

# torch finds its own libraries, and must not be given others'.
race_torch() { # seconds
  local device=$provider extra=()
  [ "$quick" = 0 ] || extra=(--quick)
  LD_LIBRARY_PATH=$original_path timeout --kill-after=2 "$1" "$torch" "$here/torch_race.py" \
    --out "$out/torch.json" --device "$device" --limit "$(($1 * 8 / 10))" ${extra[@]+"${extra[@]}"}
}

run_section() { # name, seconds
  local grace=$(($2 / 6))
  [ "$grace" -ge 3 ] || grace=3
  timeout --kill-after=2 "$2" "$program" gpu --packages "$work/models" --images "$work/images" --out "$out" \
    --provider "$provider" --only "$1" --limit "$(($2 - grace))" ${more[@]+"${more[@]}"}
}

[ -z "$only" ] || IFS=, read -r -a sections <<<"$only"
ask_pythons
# The rival needs none of the pieces, and can be measured while they travel.
[ "${sections[*]}" = race ] && [ "$unpack_only" = 0 ] && [ -n "$torch" ] || unpack
[ "$unpack_only" = 0 ] || exit 0
if [ -n "$package" ]; then
  [ -f "$package/model.json" ] || fail "--package: '$package' is no model package."
  ln -sfn "$(cd "$package" && pwd)" "$work/models/$(basename "$package")"
fi
if [ "$provider" = cuda ]; then
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi >>"$out/log.txt" 2>&1 || true
  else
    say "There is no nvidia-smi: the memory of the GPU will not be measured."
  fi
  if [ "${sections[*]}" != race ]; then
    [ -f "$provider_library" ] || fail "This was packed without the CUDA provider; --provider cpu tries all else."
    find_cuda
  fi
fi
find_library libssl.so.3 || { add_library_folder "$work/openssl" && export LD_LIBRARY_PATH; }
[ "$quick" = 0 ] || more+=(--quick)
[ ! -d "$work/annotated" ] || more+=(--annotated "$work/annotated")
# What .NET would else write into the home folder, or open a socket for; and code for the GPU is loaded when it is used.
export DOTNET_EnableDiagnostics=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 CUDA_MODULE_LOADING=LAZY

# Each section is a process of its own: one that crashes or hangs costs the others nothing, and is in the report.
status=0
for section in "${sections[@]}"; do
  if [ "$resume" = 1 ] && grep -q '"state": "Done"' "$out/sections/$section.json" 2>/dev/null; then
    say "$section: done before"
    continue
  fi
  seconds=$(time_for "$section")
  if [ "$seconds" -lt "$least" ]; then
    say "$section: not begun, the time is up; --resume goes on from here"
    status=1
    continue
  fi
  code=0
  if [ "$section" = race ] && { [ "$only" = race ] || [ ! -f "$out/torch.json" ]; }; then
    if [ -z "$torch" ]; then
      say "No python3 with torch and torchvision was found: there will be no race."
    else
      race_torch "$seconds" 2>&1 | tee -a "$out/log.txt" >&2 || say "race: torch_race.py ended with an error; see above"
      copy_results
    fi
    [ -x "$program" ] || { say "race: $out/torch.json is taken into the report once the pieces are here"; continue; }
    seconds=20
  fi
  # An unknown name still gets the program's answer.
  run_section "$section" "$seconds" 2>&1 | tee -a "$out/log.txt" || code=$?
  copy_results
  # A crash at the first use of the device is one at all others.
  if [ "$section" = machine ] && [ "$code" -gt 128 ] && [ "$code" != 137 ]; then code=3; fi
  case $code in
    0) ;;
    2) exit 2 ;;
    3) fail "$section: the device cannot be used, hence nothing else is measured; $out/log.txt says more." ;;
    124 | 137) say "$section: ended, it took longer than $seconds s"; status=1 ;;
    *) status=1 ;;
  esac
done
if [ -x "$program" ]; then
  "$program" gpu --out "$out" --report-only
  copy_results
  say "Report after $SECONDS s: $out/report.md and results-*.json"
fi
exit $status
