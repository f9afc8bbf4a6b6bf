/** Everything that is generated, in one list. */
import { configDocument } from './config-document.ts';
import type { GeneratedDocument } from './document.ts';
import { errorsDocument } from './errors-document.ts';
import { policiesDocument } from './policies-document.ts';
import { schemaDocument } from './schema-document.ts';

export const documents: readonly GeneratedDocument[] = [
  schemaDocument,
  configDocument,
  errorsDocument,
  policiesDocument,
];
