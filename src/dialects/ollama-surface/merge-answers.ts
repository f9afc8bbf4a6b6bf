/** Several backends are asked the same (copy, delete): what their client gets as the one answer. Pure. */
import type { JsonObject } from '../ir/request.ts';
import { readError } from '../ollama/errors.ts';

export interface BackendAnswer {
  readonly backend: string;
  /** 0 = none came; `text` says why. */
  readonly status: number;
  readonly text: string;
}

export interface MergedAnswer {
  readonly status: number;
  /** Undefined = it has no body. */
  readonly body: JsonObject | undefined;
}

/**
 * Who does not have the model has nothing to do: it is done when one has done it and none has failed. Where nobody has
 * it, the client gets Ollama's own 404.
 */
export function mergeAnswers(answers: readonly BackendAnswer[]): MergedAnswer {
  const done = answers.filter(({ status }) => status >= 200 && status < 300);
  const missing = answers.filter(({ status }) => status === 404);
  const failed = answers.filter((answer) => !done.includes(answer) && !missing.includes(answer));
  if (failed.length === 0 && done.length > 0) return { status: 200, body: undefined };
  const [first] = failed.length > 0 ? failed : missing;
  const status = first === undefined || first.status === 0 ? 502 : first.status;
  if (failed.length === 0) return { status, body: { error: messageOf(first) } };
  const errors = failed.map((answer) => `backend ${answer.backend}: ${messageOf(answer)}`).join('; ');
  const rest = done.length === 0 ? '' : ` (succeeded: ${done.map(({ backend }) => backend).join(', ')})`;
  return { status, body: { error: errors + rest } };
}

function messageOf(answer: BackendAnswer | undefined): string {
  if (answer === undefined) return 'there is no Ollama backend';
  return answer.status === 0 ? answer.text : readError(answer.status, answer.text).message;
}
