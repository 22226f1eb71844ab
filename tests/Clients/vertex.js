// Predicts through Google's own client: node vertex.js <address> <name of the endpoint> <picture> <least confidence>
// Prints the predictions.
import { readFile } from "node:fs/promises";
import aiplatform from "@google-cloud/aiplatform";

const [address, endpoint, picture, confidenceThreshold] = process.argv.slice(2);
const { hostname, port } = new URL(address);
const client = new aiplatform.v1.PredictionServiceClient({
  apiEndpoint: hostname,
  port: Number(port),
  protocol: "http",
  fallback: "rest",
  // Google's login is not asked for.
  authClient: { getRequestHeaders: async () => new Headers(), fetch: (...request) => fetch(...request) },
});
const { toValue, fromValue } = aiplatform.helpers;
const content = (await readFile(picture)).toString("base64");
const [answer] = await client.predict({
  endpoint,
  instances: [toValue({ content, mimeType: "image/jpeg" })],
  parameters: toValue({ confidenceThreshold: Number(confidenceThreshold), maxPredictions: 100 }),
});
console.log(JSON.stringify(answer.predictions.map(fromValue)));
