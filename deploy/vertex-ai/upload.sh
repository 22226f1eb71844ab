#!/usr/bin/env bash
# Uploads the image, with the model that is built into it, as a model of Vertex AI:
# deploy/vertex-ai/upload.sh europe-west4-docker.pkg.dev/my-project/vision/fpn-service:0.1.0
# Vertex AI hands --artifact-uri on as a gs:// address, which the service does not read.
set -euo pipefail

exec gcloud ai models upload \
  --region="${REGION:-europe-west4}" \
  --display-name=fpn-everyday \
  --container-image-uri="$1" \
  --container-ports=8080 \
  --container-health-route=/health \
  --container-predict-route=/predict
