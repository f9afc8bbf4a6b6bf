/**
 * Paths of OpenAI's API that only a service can serve which keeps conversations itself: elsewhere they are refused in words
 * that say what to do, and not as a path that is unknown.
 */
import { LlameroError } from '../domain/errors.ts';
import type { Backend } from '../engines/backend.ts';
import { keepsAnswers } from './translation/conversation.ts';

const refusals: readonly { readonly path: RegExp; readonly words: string }[] = [
  {
    path: /^\/(?:v1\/)?responses\/compact$/,
    words: 'compacts conversations; leave items out of `input` instead',
  },
  {
    path: /^\/(?:v1\/)?conversations(?:\/|$)/,
    words: 'keeps conversations; send `previous_response_id` or the items themselves',
  },
];

/** `backends`: those that would get the request. undefined = it is none of these paths, or one of them may serve it. */
export function refuseServicePath(path: string, backends: readonly Backend[]): LlameroError | undefined {
  const refusal = refusals.find((entry) => entry.path.test(path));
  if (refusal === undefined || backends.some(keepsAnswers)) return undefined;
  return new LlameroError('not_supported', `No backend ${refusal.words}`);
}
