/** Embeddings and reranking: vectors made of the words in a text, so that texts with common words are near each other. */
import { createRandom } from '../../base/random.ts';
import { EngineError } from './engine-error.ts';
import type { Exchange } from './exchange.ts';
import { record, requireContext, type Body } from './generation-request.ts';
import type { Runner } from './runner.ts';
import { countTokens } from './tokens.ts';

const dimensions = 64;
const wordsMax = 2000;

export function startEmbeddings(exchange: Exchange, runner: Runner, body: Body, native: boolean): void {
  const input = body['input'] ?? body['content'];
  if (input === undefined) throw new EngineError(400, '"input" or "content" must be provided');
  const texts = inputTexts(input);
  const base64 = body['encoding_format'] === 'base64';
  evaluate(exchange, runner, texts, (tokens) => {
    const vectors = texts.map(embed);
    if (native) return vectors.map((vector, index) => ({ index, embedding: [vector] }));
    return {
      model: body['model'] ?? runner.model.id,
      object: 'list',
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      data: vectors.map((vector, index) => ({
        embedding: base64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector,
        index,
        object: 'embedding',
        ...(base64 && { encoding_format: 'base64' }),
      })),
    };
  });
}

export function startRerank(exchange: Exchange, runner: Runner, body: Body): void {
  const { query, documents, top_n: topN } = body;
  if (typeof query !== 'string') throw new EngineError(400, '"query" must be provided');
  if (!Array.isArray(documents) || documents.length === 0) {
    throw new EngineError(400, '"documents" must be a non-empty string array');
  }
  const texts = inputTexts(documents);
  evaluate(
    exchange,
    runner,
    texts.map((text) => `${query}\n${text}`),
    (tokens) => {
      const wanted = embed(query);
      const results = texts
        .map((text, index) => ({ index, relevance_score: similarity(wanted, embed(text)) }))
        .sort((one, other) => other.relevance_score - one.relevance_score);
      return {
        model: body['model'] ?? runner.model.id,
        object: 'list',
        usage: { prompt_tokens: tokens, total_tokens: tokens },
        results: typeof topN === 'number' ? results.slice(0, topN) : results,
      };
    },
  );
}

/** One slot per text; answers when all are done. */
function evaluate(
  exchange: Exchange,
  runner: Runner,
  texts: readonly string[],
  answer: (tokens: number) => unknown,
): void {
  for (const text of texts) requireContext(text, runner.model.contextTokens);
  const counts = texts.map((text) => Math.max(1, countTokens(text)));
  const total = counts.reduce((sum, count) => sum + count, 0);
  let left = texts.length;
  for (const [index, prompt] of texts.entries()) {
    runner.pool.enqueue({
      prompt,
      promptTokens: counts[index] ?? 1,
      usesCache: false,
      slotWanted: undefined,
      params: {},
      tokensMax: 0,
      started: () => undefined,
      promptProgressed: () => true,
      tokenDue() {
        left -= 1;
        if (left === 0) exchange.json(200, answer(total));
        return false;
      },
      generatedText: () => '',
      abandoned: () => exchange.destroy(),
    });
  }
}

function inputTexts(input: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input];
  // Tokens instead of text: their numbers do as words.
  if (list.length > 0 && list.every((each) => typeof each === 'number')) return [list.join(' ')];
  return list.map((each) => {
    const inner = record(each);
    const text = inner?.['text'] ?? inner?.['content'] ?? each;
    return typeof text === 'string' ? text : JSON.stringify(text);
  });
}

function embed(text: string): number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const word of (text.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? []).slice(0, wordsMax)) {
    const random = createRandom(hashText(word));
    for (let at = 0; at < dimensions; at += 1) vector[at] = (vector[at] ?? 0) + random.next() - 0.5;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** Cosine of two unit vectors, moved into [0, 1]. */
function similarity(one: readonly number[], other: readonly number[]): number {
  return (1 + one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0)) / 2;
}

/** FNV-1a, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
