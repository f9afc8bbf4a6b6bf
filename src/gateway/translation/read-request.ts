/** Reads a client's request in the dialect of its route. */
import { parseExactJson } from '../../base/exact-json.ts';
import { dialects } from '../../dialects/index.ts';
import { isObject } from '../../dialects/ir/fields.ts';
import type { JsonObject, ModelRequest } from '../../dialects/ir/request.ts';
import { RequestShapeError } from '../../dialects/ir/request-shape-error.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { TranslatableRoute } from '../../domain/routes.ts';
import { dialectRoutes } from './dialect-routes.ts';

/**
 * `modelMeant`: of a request that names no model.
 * @throws LlameroError request_malformed, with the member that is wrong as its `param`
 */
export function readModelRequest(
  route: TranslatableRoute,
  body: JsonObject,
  modelMeant?: ModelName,
): ModelRequest {
  const dialect = dialects[dialectRoutes[route].dialect];
  const isUnnamed = modelMeant !== undefined && (body['model'] ?? undefined) === undefined;
  return readShape(() => dialect.readRequest(isUnnamed ? { ...body, model: modelMeant } : body));
}

/** undefined = it cannot be read, which is for the engine to complain about. */
export function tryReadModelRequest(route: TranslatableRoute, body: Buffer): ModelRequest | undefined {
  return tryRead(() => readModelRequest(route, parseObject(body)));
}

/** undefined = it is no JSON object. */
export function tryParseObject(body: Buffer): JsonObject | undefined {
  return tryRead(() => parseObject(body));
}

/** What `read` returns. @throws LlameroError request_malformed */
export function readShape<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof RequestShapeError)) throw thrown;
    throw new LlameroError('request_malformed', thrown.message, { param: thrown.field });
  }
}

/** @throws LlameroError request_malformed */
export function parseObject(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = parseExactJson(body.toString());
  } catch (thrown) {
    throw new LlameroError('request_malformed', 'The body is not valid JSON', { cause: thrown });
  }
  if (!isObject(value)) throw new LlameroError('request_malformed', 'The body must be a JSON object');
  return value;
}

function tryRead<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof LlameroError) return undefined;
    throw thrown;
  }
}
