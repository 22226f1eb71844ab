#!/usr/bin/env bash
# Packs the GPU benchmark for a bare machine: run.sh, and everything else in pieces of at most 60 MB with checksums.
# Runs where the project builds (.NET SDK 10, network). README.md beside this file tells the rest.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/build/prepare.sh"

usage="pack.sh [--out DIR] [--work DIR] [--piece-megabytes 60] [--without-cuda] [--without-resnet50]
        [--images DIR] [--annotated IMAGES-DIR ANNOTATIONS-DIR [--list FILE]]"
out="$root/artifacts/gpu-benchmark" work="$root/artifacts/gpu-benchmark-work" megabytes=60 cuda=1 resnet=1
images= annotated= annotations= list=
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --work) work=$2; shift 2 ;;
    --piece-megabytes) megabytes=$2; shift 2 ;;
    --without-cuda) cuda=0; shift ;;
    --without-resnet50) resnet=0; shift ;;
    --images) images=$2; shift 2 ;;
    --annotated) annotated=$2 annotations=$3; shift 3 ;;
    --list) list=$2; shift 2 ;;
    *) fail "'$1' is unknown: $usage" ;;
  esac
done
[[ $megabytes =~ ^[1-9][0-9]*$ ]] || fail "--piece-megabytes must be a whole number above 0, not '$megabytes'."

require_dotnet

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
  dotnet publish "$root/$1" -c Release -r linux-x64 --self-contained true -p:RuntimeIdentifiers=linux-x64 --artifacts-path "$work/build" \
    -o "$work/program" -p:RestorePackagesWithLockFile=false \
    -p:NuGetLockFilePath="$work/none.lock.json" -p:TreatWarningsAsErrors=false -p:RunAnalyzers=false \
    -p:DebugType=none --nologo -v quiet -clp:"NoSummary;ErrorsOnly" >&2
}
say "Building …"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
rm -rf "$work/program"
publish benchmarks/Fpn.Benchmarks
publish src/Fpn.Service
# For debuggers, and for another operating system.
rm -rf "$work/program/amd64" "$work/program/libmscordbi.so" "$work/program/createdump"
rm -f "$work/program/libonnxruntime_providers_tensorrt.so"
[ "$cuda" = 1 ] || rm -f "$work/program"/libonnxruntime_providers_*.so
[ "$cuda" = 0 ] || [ -f "$work/program/libonnxruntime_providers_cuda.so" ] ||
  fail "The CUDA provider was not published."
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
cp -r "$root/models/blood-cells" "$payload/models/"
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
rm -f "$out"/payload.tar.gz.* "$out/SHA256SUMS" "$out/run.sh"
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$payload" -cf - . | gzip -6 |
  (cd "$out" && split -b "${megabytes}000000" -d -a 3 - payload.tar.gz.)
(cd "$out" && sha256sum payload.tar.gz.* >SHA256SUMS)
cp "$here/run.sh" "$out/run.sh"
rm -rf "$payload"
pieces=("$out"/payload.tar.gz.*)
together=$(du -cm "${pieces[@]}" | tail -n 1 | cut -f1)
say "Packed into $out: run.sh, SHA256SUMS and ${#pieces[@]} pieces, $together MB together."
