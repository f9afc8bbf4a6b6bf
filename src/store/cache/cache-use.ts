/** What the cache of answers did for one request. Written by the data plane, read by the log and metrics. */
import type { AnswerCopy } from './answer-copy.ts';

/** exact, semantic: it was answered from the cache. bypass: it was not even looked for. */
export const cacheResults = ['exact', 'semantic', 'miss', 'bypass'] as const;
export type CacheResult = (typeof cacheResults)[number];

/**
 * Why an answer is not given again. model, route: the configuration or the API is not for it. several: more than one answer
 * was wanted. stateful: the answer is part of a conversation that is kept. unreadable: only an engine may understand the
 * request. unwanted: the request says so. unclean: it came to no proper end. truncated: the context was full. repaired: the
 * request was changed for its engine. personal: it says something about a person. tooLarge: larger than `cache.entrySizeMax`.
 */
export type CacheRefusal =
  | 'model'
  | 'route'
  | 'several'
  | 'stateful'
  | 'unreadable'
  | 'unwanted'
  | 'unclean'
  | 'truncated'
  | 'repaired'
  | 'personal'
  | 'tooLarge';

/** What an engine was spared, as it was counted when one gave the answer. */
export interface SavedTokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface CacheUse {
  result: CacheResult;
  /** undefined = an engine answers, or the answer does not tell its tokens. */
  saved?: SavedTokens | undefined;
  /** undefined = the answer came from the cache, or was kept. */
  refusal: CacheRefusal | undefined;
  /** Of the answer, while it may be kept. */
  copy: AnswerCopy | undefined;
}
