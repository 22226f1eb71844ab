// Asks the service at ADDRESS about the image in FILE by the AWS SDK, with the endpoint overridden as users do on their
// own machines; prints what it makes of each answer, one JSON object a line: node invoke.mjs ADDRESS FILE
import { readFile } from "node:fs/promises";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";

const [endpoint, file] = process.argv.slice(2);
const client = new SageMakerRuntimeClient({
  endpoint,
  region: "eu-central-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
});
const image = await readFile(file);
const tensor = { name: "image", datatype: "BYTES", shape: [1], data: [image.toString("base64")] };
const calls = [
  { ContentType: "image/jpeg", Body: image },
  { ContentType: "application/x-image", Body: image, CustomAttributes: "model=blood-cells&scoreThreshold=0.9" },
  { ContentType: "application/json", Body: JSON.stringify({ inputs: [tensor] }), CustomAttributes: "model=blood-cells" },
  { ContentType: "image/jpeg", Body: image.subarray(0, 1000), CustomAttributes: "c000b4f9-df62-4c85-a0bf-7c525f9104a4" },
];
for (const call of calls) {
  try {
    const answer = await client.send(new InvokeEndpointCommand({ EndpointName: "cells", ...call }));
    const body = JSON.parse(Buffer.from(answer.Body).toString("utf8"));
    console.log(JSON.stringify({ status: answer.$metadata.httpStatusCode, type: answer.ContentType, body }));
  } catch (error) {
    console.log(JSON.stringify({ status: error.$metadata?.httpStatusCode, error: error.message, name: error.name }));
  }
}
