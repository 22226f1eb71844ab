// Asks a running service through the client that was generated from docs/openapi.json, and prints what it answered.
// Arguments: the service's address, an image.
import { readFile } from 'node:fs/promises';
import { client } from './client/client.gen.js';
import { detect, listModels } from './client/sdk.gen.js';

const [address, picture] = process.argv.slice(2);
if (!address || !picture) {
  throw new Error('usage: client <address> <image>');
}

client.setConfig({ baseUrl: address.replace(/\/$/, '') });
const models = await listModels({ throwOnError: true });
const image = new Blob([await readFile(picture)]);
const found = await detect({ body: { image }, query: { maxDetections: 5 }, throwOnError: true });
const wrong = await detect({ body: { image: new Blob(['no image']) } });
console.log(JSON.stringify({
  models: models.data, found: found.data, problem: wrong.error, status: wrong.response?.status,
}));
