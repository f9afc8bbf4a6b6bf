/** Top-level members of requests that are the same in all of OpenAI's completions, or that no reader knows. */
import type { DialectName, WriteTarget } from '../dialect.ts';
import {
  optionalBoolean,
  optionalObject,
  optionalString,
  otherMembers,
  present,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { JsonObject, ModelRequest } from '../ir/request.ts';

/** Names of the members that `readHead` reads. */
export const headMembers: readonly string[] = ['model', 'stream', 'stream_options', 'user', 'metadata'];

type Head = Pick<ModelRequest, 'model' | 'stream' | 'usageInStream' | 'user' | 'metadata'>;

/** @throws RequestShapeError */
export function readHead(place: Place): Head {
  const stream = optionalBoolean(place, 'stream') ?? false;
  const options = optionalObject(place, 'stream_options');
  const wantsUsage = options === undefined ? undefined : optionalBoolean(options, 'include_usage');
  return {
    model: requiredString(place, 'model'),
    stream,
    usageInStream: stream && wantsUsage === true,
    ...present({ user: optionalString(place, 'user'), metadata: optionalObject(place, 'metadata')?.fields }),
  };
}

/** The counterpart of `readHead`. Usage is always asked for: accounting needs it, and the client's writer leaves it out. */
export function writeHead({ model, stream, user, metadata }: ModelRequest): JsonObject {
  return {
    model,
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    ...present({ user, metadata }),
  };
}

/** What is left of a request once its known members are read. null counts as absent. */
export function readRest(
  fields: JsonObject,
  { known, own }: { readonly known: ReadonlySet<string>; readonly own: ReadonlySet<string> },
): Pick<ModelRequest, 'own' | 'extra'> {
  const rest = Object.entries(otherMembers(fields, known)).filter(([, value]) => value !== null);
  return {
    own: Object.fromEntries(rest.filter(([name]) => own.has(name))),
    extra: Object.fromEntries(rest.filter(([name]) => !own.has(name))),
  };
}

/** The members of `own` and `extra` that go to the engine, beside those that were `written`; the others are reported. */
export function writeRest(
  request: ModelRequest,
  written: JsonObject,
  { target, dialect }: { readonly target: WriteTarget; readonly dialect: DialectName },
): JsonObject {
  const { habits, onDropped } = target;
  const takesOwn = request.dialect === dialect;
  const takesExtra = habits.unknownMembers === 'ignored';
  const entries = [
    ...Object.entries(request.own).map(([name, value]) => ({ name, value, isTaken: takesOwn })),
    ...Object.entries(request.extra).map(([name, value]) => ({ name, value, isTaken: takesExtra })),
  ];
  const rest: [string, unknown][] = [];
  for (const { name, value, isTaken } of entries) {
    if (isTaken && !Object.hasOwn(written, name)) rest.push([name, value]);
    else onDropped(name);
  }
  if (request.keepAlive !== undefined) onDropped('keep_alive');
  if (request.contextTokens !== undefined) onDropped('num_ctx');
  return Object.fromEntries(rest);
}
