/** Vectors of texts, by a request of the router's own to a model for embeddings. Keeps nothing. */
import { isObject } from '../../dialects/ir/fields.ts';
import { tryNormalise } from '../../store/cache/vectors.ts';
import { callInside, readWhole, type BeginExchange, type InnerCaller } from '../inner-call/inner-call.ts';

export interface Embedding {
  readonly begin: BeginExchange;
  readonly caller: InnerCaller;
  /** Id of the request that wants it. */
  readonly parent: string;
  readonly model: string;
  readonly signal: AbortSignal;
}

/** A question waits no longer for its vector. */
const timeMsMax = 5000;
const answerBytesMax = 4 * 1024 ** 2;

/** One for each text, of length 1; undefined = they could not be had. Never rejects. */
export async function tryEmbed(
  texts: readonly string[],
  { begin, caller, parent, model, signal }: Embedding,
): Promise<readonly Float32Array[] | undefined> {
  try {
    const answer = await callInside(begin, {
      path: '/v1/embeddings',
      body: { model, input: texts },
      caller,
      parent: { id: parent, purpose: 'embedding' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeMsMax)]),
    });
    const body = await readWhole(answer, answerBytesMax);
    if (answer.status !== 200) return undefined;
    const vectors = readVectors(JSON.parse(body.toString()));
    return vectors.length === texts.length ? vectors : undefined;
  } catch {
    // Its own record says what went wrong.
    return undefined;
  }
}

function readVectors(answer: unknown): readonly Float32Array[] {
  if (!isObject(answer) || !Array.isArray(answer['data'])) return [];
  const items = (answer['data'] as unknown[]).filter(isObject);
  const inOrder = items.toSorted((one, other) => Number(one['index'] ?? 0) - Number(other['index'] ?? 0));
  return inOrder.flatMap(({ embedding }) => {
    const vector = Array.isArray(embedding) ? tryNormalise((embedding as unknown[]).map(Number)) : undefined;
    return vector === undefined ? [] : [vector];
  });
}
