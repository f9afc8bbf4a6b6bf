/**
 * Writes the files that follow from the sources: the JSON Schema and the generated docs. `--check` writes nothing, names
 * the files that differ and exits with 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { staleDocuments } from './generate/documents.ts';

const root = resolve(import.meta.dirname, '..');
const [option, ...rest] = process.argv.slice(2);
if (rest.length > 0 || (option !== undefined && option !== '--check')) {
  process.stderr.write('Usage: node scripts/generate.ts [--check]\n');
  process.exit(64);
}

for (const { path, render } of staleDocuments(root)) {
  if (option === '--check') {
    process.stderr.write(`${path} is not what the sources say: run npm run generate\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(resolve(root, path)), { recursive: true });
    writeFileSync(resolve(root, path), render());
    process.stdout.write(`${path} written\n`);
  }
}
