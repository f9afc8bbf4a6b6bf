/** schema/llamero.schema.json: the same text as `llamero schema` prints. */
import { configJsonSchemaText } from '../../src/config/json-schema.ts';
import type { GeneratedDocument } from './document.ts';

export const schemaDocument: GeneratedDocument = {
  path: 'schema/llamero.schema.json',
  render: configJsonSchemaText,
};
