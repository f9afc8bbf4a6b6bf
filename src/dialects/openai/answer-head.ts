/** What OpenAI's completions have around their choices: ids, times, names. */
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../ir/request.ts';

/** What the engine said of itself. */
export interface EngineHead {
  readonly id?: string | undefined;
  readonly createdS?: number | undefined;
  readonly fingerprint?: string | undefined;
}

/** `prefix`: of ids, `chatcmpl-` or `cmpl-`; an engine's id without it is not shown. The model is called as the client did. */
export function answerHead(
  { id, createdS, fingerprint }: EngineHead,
  context: AnswerContext,
  { prefix, object }: { readonly prefix: string; readonly object: string },
): JsonObject {
  return {
    id: id?.startsWith(prefix) === true ? id : `${prefix}${context.requestId}`,
    object,
    created: createdS ?? Math.floor(context.nowMs() / 1000),
    model: context.model,
    ...(fingerprint !== undefined && { system_fingerprint: fingerprint }),
  };
}
