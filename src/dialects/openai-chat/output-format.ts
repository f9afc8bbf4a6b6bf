/** `response_format` of a chat completion, both directions. */
import {
  optionalBoolean,
  optionalObject,
  optionalString,
  pathOf,
  present,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { JsonObject, OutputFormat } from '../ir/request.ts';

/** @throws RequestShapeError */
export function readFormat(place: Place): OutputFormat | undefined {
  const format = optionalObject(place, 'response_format');
  if (format === undefined) return undefined;
  const type = requiredString(format, 'type');
  switch (type) {
    case 'text':
      return { kind: 'text' };
    case 'json_object': {
      // llama.cpp has had a schema here before OpenAI had any.
      const schema = optionalObject(format, 'schema')?.fields;
      return schema === undefined ? { kind: 'json' } : { kind: 'schema', schema };
    }
    case 'json_schema': {
      const body = requiredObject(format, 'json_schema');
      return {
        kind: 'schema',
        schema: optionalObject(body, 'schema')?.fields ?? {},
        ...present({
          name: optionalString(body, 'name'),
          description: optionalString(body, 'description'),
          strict: optionalBoolean(body, 'strict'),
        }),
      };
    }
    default:
      throw new RequestShapeError(pathOf(format, 'type'), 'must be text, json_object or json_schema');
  }
}

/** OpenAI requires a name for a schema. */
const schemaNameDefault = 'answer';

export function writeFormat(format: OutputFormat | undefined): JsonObject {
  if (format === undefined) return {};
  if (format.kind !== 'schema') {
    return { response_format: { type: format.kind === 'json' ? 'json_object' : 'text' } };
  }
  const { name = schemaNameDefault, description, schema, strict } = format;
  return {
    response_format: {
      type: 'json_schema',
      json_schema: { name, ...present({ description, schema, strict }) },
    },
  };
}
