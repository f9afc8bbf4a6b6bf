/** Everything that is generated, in one list. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configDocument } from './config-document.ts';
import { dialectsDocument } from './dialects-document.ts';
import type { GeneratedDocument } from './document.ts';
import { errorsDocument } from './errors-document.ts';
import { importDocument } from './import-document.ts';
import { metricsDocument } from './metrics-document.ts';
import { policiesDocument } from './policies-document.ts';
import { schemaDocument } from './schema-document.ts';

export const documents: readonly GeneratedDocument[] = [
  schemaDocument,
  configDocument,
  errorsDocument,
  importDocument,
  metricsDocument,
  policiesDocument,
  dialectsDocument,
];

/** The documents whose files under `root` are missing or not what the sources say. */
export function staleDocuments(root: string): GeneratedDocument[] {
  return documents.filter(({ path, render }) => readIfThere(resolve(root, path)) !== render());
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
