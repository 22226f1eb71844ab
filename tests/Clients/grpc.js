// Asks the service by gRPC's own library for JavaScript:
//   node grpc.js <host:port> <inference.proto> <key> <picture>
// Prints what it got as one JSON object; calls that fail as {"code": …, "details": …, "type": …}.
import { readFile } from "node:fs/promises";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [address, proto, key, file] = process.argv.slice(2);
const options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
const { inference } = grpc.loadPackageDefinition(loader.loadSync(proto, options));
const health = grpc.loadPackageDefinition(loader.fromJSON({
  nested: { grpc: { nested: { health: { nested: { v1: { nested: {
    HealthCheckRequest: { fields: { service: { type: "string", id: 1 } } },
    HealthCheckResponse: {
      fields: { status: { type: "ServingStatus", id: 1 } },
      nested: { ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } } },
    },
    Health: { methods: { Check: { requestType: "HealthCheckRequest", responseType: "HealthCheckResponse" } } },
  } } } } } } },
}, options));

const unencrypted = grpc.credentials.createInsecure();
const client = new inference.GRPCInferenceService(address, unencrypted);
const probe = new health.grpc.health.v1.Health(address, unencrypted);
const picture = await readFile(file);

function metadata(name, value) {
  const entries = new grpc.Metadata();
  if (name) entries.set(name, value);
  return entries;
}

function failure(error) {
  return { code: grpc.status[error.code], details: error.details, type: error.metadata.get("problem-type")[0] };
}

function call(stub, method, request, entries = metadata()) {
  const deadline = Date.now() + 120_000;
  return new Promise((resolve) => stub[method](request, entries, { deadline }, (error, answer) =>
    resolve(error ? failure(error) : answer)));
}

function request(model, id) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(picture.length);
  return {
    model_name: model,
    id,
    inputs: [{ name: "image", datatype: "BYTES", shape: [1] }],
    raw_input_contents: [Buffer.concat([length, picture])],
  };
}

function detections(answer) {
  const raw = Object.fromEntries(answer.outputs.map((output, i) => [output.name, answer.raw_output_contents[i]]));
  const count = Number(answer.outputs[0].shape[0]);
  return Array.from({ length: count }, (_, i) => ({
    classId: Number(raw.labels.readBigInt64LE(8 * i)),
    score: raw.scores.readFloatLE(4 * i),
    box: [0, 1, 2, 3].map((side) => raw.boxes.readFloatLE(16 * i + 4 * side)),
  }));
}

function stream(entries) {
  const answers = {};
  const open = client.ModelStreamInfer(entries, { deadline: Date.now() + 120_000 });
  open.on("data", ({ error_message: error, infer_response: answer }) => {
    const isFinal = answer.parameters.triton_final_response?.bool_param;
    answers[answer.id] = error ? { error, isFinal } : { found: detections(answer), isFinal };
  });
  const ended = new Promise((resolve) => {
    open.on("error", () => {});
    open.on("status", ({ code }) => resolve(grpc.status[code]));
  });
  const asked = request("blood-cells", "asked");
  asked.parameters = { triton_enable_empty_final_response: { bool_param: true } };
  for (const message of [request("blood-cells", "first"), request("nobody", "wrong"), asked]) open.write(message);
  open.end();
  return ended.then((status) => ({ answers, status }));
}

const mine = metadata("x-api-key", key);
const wrong = metadata("x-api-key", "wrong-0123456789abcdef");
const found = await call(client, "ModelInfer", request("blood-cells", "7"), mine);
console.log(JSON.stringify({
  live: await call(client, "ServerLive", {}),
  ready: await call(client, "ServerReady", {}),
  health: await call(probe, "Check", { service: "inference.GRPCInferenceService" }),
  id: found.id,
  found: found.code ? found : detections(found),
  asBearer: await call(client, "ModelReady", { name: "blood-cells" }, metadata("authorization", `Bearer ${key}`)),
  unknownModel: await call(client, "ModelInfer", request("nobody", ""), mine),
  noKey: await call(client, "ModelInfer", request("blood-cells", "")),
  wrongKey: await call(client, "ModelInfer", request("blood-cells", ""), wrong),
  stream: await stream(mine),
}));
client.close();
probe.close();
