/** Where a question stands among those that may mean the same: its space, by all that must be the same, and its vector. */
import type { SemanticConfig } from '../../config/schema-cache.ts';
import { cacheSpace } from '../../store/cache/cache-key.ts';
import type { Likeness } from '../../store/cache/cache-store.ts';
import { tryMix } from '../../store/cache/vectors.ts';
import type { CacheableRequest } from './cacheable-request.ts';
import { tryEmbed, type Embedding } from './embed-texts.ts';
import { conversationMembers, toQuestion } from './question.ts';

/** undefined = it is compared with nothing, or its vector could not be had. Never rejects. */
export async function tryLikeness(
  { question, speech }: CacheableRequest,
  { embeddings: model, historyWeight }: SemanticConfig,
  embedding: Omit<Embedding, 'model'>,
): Promise<Likeness | undefined> {
  const compared = speech && toQuestion(speech.context.request, { historyWeight });
  if (compared === undefined) return undefined;
  const { text, before, fixed } = compared;
  const texts = before === undefined ? [text] : [text, before];
  const [asked, said] = (await tryEmbed(texts, { ...embedding, model })) ?? [];
  if (asked === undefined) return undefined;
  const vector =
    said === undefined || historyWeight === undefined ? asked : tryMix(said, asked, historyWeight);
  if (vector === undefined) return undefined;
  // Vectors of another model, or mixed otherwise, say nothing about this one.
  const made = [model, before === undefined ? 0 : (historyWeight ?? 0)];
  return { space: cacheSpace(question, conversationMembers, [made, fixed]), vector };
}
