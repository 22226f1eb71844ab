// Builds the page into dist/, which is committed, or into the folder named by the argument: one document, one script,
// one style sheet, one icon. `npm ci` in the repository's folder fetches what it needs.
// Names of script and style sheet hold a checksum of their content, so that browsers may keep them for ever.
import { build } from 'esbuild';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const here = import.meta.dirname;
const out = path.resolve(process.argv[2] ?? path.join(here, 'dist'));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: { explorer: 'src/main.tsx', style: 'styles/main.css' },
  bundle: true,
  minify: true,
  metafile: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  outdir: out,
  banner: { js: '/* Fpn.Service explorer, MIT. Contains Preact, MIT, (c) 2015-present Jason Miller. */' },
  logLevel: 'warning',
});

let page = await readFile(path.join(here, 'index.html'), 'utf8');
for (const [file, { entryPoint }] of Object.entries(result.metafile.outputs)) {
  page = page.replaceAll(`%${entryPoint}%`, `explorer/${path.basename(file)}`);
}

if (page.includes('%')) {
  throw new Error('index.html names an entry point that was not built.');
}

await writeFile(path.join(out, 'index.html'), page);
await cp(path.join(here, 'icon.svg'), path.join(out, 'icon.svg'));
