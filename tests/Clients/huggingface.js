// Detects objects through Hugging Face's own client: node huggingface.js <address> <key> <picture>
// Prints {"found": …}, or {"error": …, "status": …} when the client throws.
import { readFile } from "node:fs/promises";
import { InferenceClient } from "@huggingface/inference";

const [address, key, picture] = process.argv.slice(2);
const client = new InferenceClient(key).endpoint(address);
try {
  const found = await client.objectDetection({ inputs: new Blob([await readFile(picture)]) });
  console.log(JSON.stringify({ found }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message, status: error.httpResponse?.status }));
}
