/**
 * Threads of the Messages API: conversations that Anthropic's service keeps between turns, so that a client sends only
 * what is new. No engine has them. Says so in the words after which the official client sends the whole conversation.
 */
import { lastMember } from '../base/json-scan.ts';
import { LlameroError } from '../domain/errors.ts';
import type { BodyFacts } from './peek.ts';

/** The error for a request of the Messages API that begins a thread or goes on with one. */
export function tryThreadError({ object }: BodyFacts): LlameroError | undefined {
  if (object === undefined || lastMember(object, 'thread')?.kind !== 'object') return undefined;
  return new LlameroError('thread_unsupported', 'Message threads are not kept here: send all messages', {
    param: 'thread',
  });
}
