#!/usr/bin/env bash
# Packs the GPU benchmark for a bare machine: run.sh, torch_race.py, and everything else in pieces of at most 40 MB with
# checksums. Runs where the project builds (.NET SDK 10, network). README.md beside this file has the rest.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/build/prepare.sh"

usage="pack.sh [--out DIR] [--work DIR] [--piece-megabytes 40] [--compression 9e] [--architecture 90|all]
        [--keep-language-models] [--without-cuda] [--without-resnet50] [--without-package NAME] [--images DIR]
        [--annotated IMAGES-DIR ANNOTATIONS-DIR [--list FILE]]"
out="$root/artifacts/gpu-benchmark" work="$root/artifacts/gpu-benchmark-work" megabytes=40 cuda=1 resnet=1
compression=9e architecture=90 keep=() left_out=
images= annotated= annotations= list=
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    --piece-megabytes) megabytes=$2; shift 2 ;;
    --compression) compression=$2; shift 2 ;;
    --architecture) architecture=$2; shift 2 ;;
    --keep-language-models) keep=(--keep-language-models); shift ;;
    --without-cuda) cuda=0; shift ;;
    --without-resnet50) resnet=0; shift ;;
    --without-package) left_out=$2; shift 2 ;;
    --images) images=$2; shift 2 ;;
    --annotated) annotated=$2 annotations=$3; shift 3 ;;
    --list) list=$2; shift 2 ;;
    *) fail "'$1' is unknown: $usage" ;;
  esac
done
[[ $megabytes =~ ^[1-9][0-9]*$ ]] || fail "--piece-megabytes must be a whole number above 0, not '$megabytes'."
[[ $compression =~ ^[0-9]e?$ ]] || fail "--compression is a level of xz, 0 to 9 or 0e to 9e, not '$compression'."
[[ $architecture =~ ^([1-9][0-9]*|all)$ ]] || fail "--architecture is a number such as 90, or all, not '$architecture'."

require_dotnet
command -v xz >/dev/null || fail "xz is missing: install xz-utils."
[ "$cuda" = 0 ] || [ "$architecture" = all ] || command -v zstd >/dev/null ||
  fail "zstd is missing, with which the CUDA provider is read: install it, or pack with --architecture all."

# Debian's python3, which has torch 1.13: the exporter needs it.
python=/usr/bin/python3
has() { "$python" -c "import $1" 2>/dev/null; }

mkdir -p "$work" "$out"
work=$(cd "$work" && pwd) out=$(cd "$out" && pwd)
payload="$work/payload"
rm -rf "$payload"
mkdir -p "$payload"

# The program, and into the same folder the service as a program of its own; .NET comes with them. Outputs and
# intermediate files are kept apart from those of the usual build, whose lock files know no runtime.
publish() { # project
  dotnet publish "$root/$1" -c Release -r linux-x64 --self-contained true -p:RuntimeIdentifiers=linux-x64 \
    --artifacts-path "$work/build" -o "$work/program" -p:RestorePackagesWithLockFile=false \
    -p:NuGetLockFilePath="$work/none.lock.json" -p:TreatWarningsAsErrors=false -p:RunAnalyzers=false \
    -p:DebugType=none --nologo -v quiet -clp:"NoSummary;ErrorsOnly" >&2
}
say "Building …"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
rm -rf "$work/program"
publish benchmarks/Fpn.Benchmarks
publish src/Fpn.Service
# For debuggers, for another operating system, and what BenchmarkDotNet needs for its own kind of benchmark.
(cd "$work/program" && rm -rf amd64 arm64 x86 createdump libmscordbi.so libmscordaccore.so \
  libcoreclrtraceptprovider.so libclrgc*.so libonnxruntime_providers_tensorrt.so Microsoft.CodeAnalysis*.dll \
  Microsoft.Diagnostics.*.dll Iced.dll \
  ./*Capstone* libcapstone* Dia2Lib.dll TraceReloggerLib.dll)
cuda_library="$work/program/libonnxruntime_providers_cuda.so"
if [ "$cuda" = 0 ]; then
  rm -f "$work/program"/libonnxruntime_providers_*.so
elif [ ! -f "$cuda_library" ]; then
  fail "The CUDA provider was not published; does the project still take it from its NuGet package?"
elif [ "$architecture" != all ]; then
  python3 "$here/strip_provider.py" "$cuda_library" "$work/stripped.so" --architecture "$architecture" \
    ${keep[@]+"${keep[@]}"} >&2
  mv "$work/stripped.so" "$cuda_library"
fi
mv "$work/program" "$payload/program"
revision=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
[ -z "$(git -C "$root" status --porcelain 2>/dev/null)" ] || revision="$revision, with changes"
printf '%s\n' "$revision" >"$payload/program/REVISION"
# .NET computes checksums with OpenSSL, which a bare machine may lack; used only where it does.
mkdir -p "$payload/openssl"
for library in libssl.so.3 libcrypto.so.3; do
  found=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | sed -nE "s|^\s*$library .*x86-64.* => (.*)$|\1|p" | head -n 1)
  [ -z "$found" ] || cp -L "$found" "$payload/openssl/$library"
done

say "Packing models …"
mkdir -p "$payload/models"
cp -r "$root/models/everyday" "$root/models/blood-cells" "$payload/models/"
if [ "$resnet" = 1 ]; then
  has 'torch, torchvision, onnx' ||
    fail "ResNet-50-FPN is made with Debian's python3-torch, -torchvision and -onnx: install them, or pack" \
      "--without-resnet50."
  # Made once for each state of the scripts that make it.
  key=$(cat "$here/random_package.py" "$root/models/export/"*.py | cksum | tr ' ' -)
  if [ ! -f "$work/resnet50-$key/resnet50-fpn/model.json" ]; then
    rm -rf "$work"/resnet50-*
    "$python" "$here/random_package.py" "$work/resnet50-$key/resnet50-fpn"
  fi
  cp -r "$work/resnet50-$key/resnet50-fpn" "$payload/models/"
fi
if has 'onnx, numpy'; then
  for model in "$payload/models"/*; do
    "$python" "$root/models/export/convert.py" "$model" "$model-fp16" --precision float16 --images float16 >&2
  done
else
  say "There will be no float16 packages: models/export/convert.py needs Debian's python3-onnx."
fi

[ -z "$left_out" ] || rm -r "${payload:?}/models/${left_out:?}"

say "Packing images …"
mkdir -p "$payload/images"
cp "$root"/docs/sample/*.jpg "$payload/images/"
[ -z "$images" ] || cp "$images"/*.jpg "$payload/images/"
if [ -n "$annotated" ]; then
  mkdir -p "$payload/annotated/images" "$payload/annotated/annotations"
  if [ -n "$list" ]; then names=$(cat "$list"); else names=$(cd "$annotations" && ls -- *.xml | sed 's/\.xml$//'); fi
  for name in $names; do
    cp "$annotated/$name.jpg" "$payload/annotated/images/"
    cp "$annotations/$name.xml" "$payload/annotated/annotations/"
  done
fi

say "Compressing …"
mkdir -p "$work/parts"
rm -f "$out"/payload.* "$out/SHA256SUMS" "$out/run.sh" "$out/torch_race.py"
# Compressing takes minutes, so each part is kept for as long as what it holds stays the same.
compress() { # file for the part's name, paths
  local name=$1 key
  shift
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$payload" -cf "$work/parts/$name.tar" "$@"
  key=$(sha256sum "$work/parts/$name.tar" | cut -c 1-16)-$compression
  if [ ! -f "$work/parts/$name-$key.tar.xz" ]; then
    rm -f "$work/parts/$name"-*.tar.xz
    # Most of it is machine code.
    xz --x86 "--lzma2=preset=$compression" -T1 -c "$work/parts/$name.tar" >"$work/parts/$name.new"
    mv "$work/parts/$name.new" "$work/parts/$name-$key.tar.xz"
  fi
  rm "$work/parts/$name.tar"
  printf '%s' "$work/parts/$name-$key.tar.xz" >"$work/parts/$name.is"
}
in_payload() { (cd "$payload" && find program -type f "$@"); }
own=(-name 'Fpn.*' -o -name REVISION -o -path 'program/docs/*' -o -path 'program/wwwroot/*')
mapfile -t cuda_files < <(in_payload -name 'libonnxruntime_providers_*')
mapfile -t own_files < <(in_payload \( "${own[@]}" \))
mapfile -t others < <(in_payload ! -name 'libonnxruntime_providers_*' ! \( "${own[@]}" \))
names=(framework)
compress framework "${others[@]}" &
jobs=($!)
if [ "$cuda" = 1 ]; then
  names+=(cuda)
  compress cuda "${cuda_files[@]}" &
  jobs+=($!)
fi
names+=(models)
compress models models &
jobs+=($!)
rest=(images openssl)
[ -z "$annotated" ] || rest+=(annotated)
compress own "${own_files[@]}" "${rest[@]}" &
jobs+=($!)
for job in "${jobs[@]}"; do wait "$job"; done
for name in "${names[@]}"; do cat "$(cat "$work/parts/$name.is")"; done |
  (cd "$out" && split -b "${megabytes}000000" -d -a 2 - payload.)
# What changes from one try to the next comes last, in a piece of its own.
pieces=("$out"/payload.??)
cp "$(cat "$work/parts/own.is")" "$(printf '%s/payload.%02d' "$out" "${#pieces[@]}")"
(cd "$out" && sha256sum payload.?? >SHA256SUMS)
cp "$here/run.sh" "$here/torch_race.py" "$out/"
rm -rf "$payload"
pieces=("$out"/payload.??)
together=$(du -cm "${pieces[@]}" | tail -n 1 | cut -f1)
say "Packed into $out: run.sh, torch_race.py, SHA256SUMS and ${#pieces[@]} pieces, $together MB together."
