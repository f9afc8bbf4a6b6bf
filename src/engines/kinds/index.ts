/** All engine kinds, and the question which of them a server is. Nothing else lists them. */
import type { EngineName } from '../../domain/engine-names.ts';
import { isRoutersList } from '../echo.ts';
import { ProbeFailure } from '../engine-kind.ts';
import type { EngineKind, ProbeClient, ProbeResponse } from '../engine-kind.ts';
import { llamacpp } from './llamacpp.ts';
import { lmstudio } from './lmstudio.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { sglang } from './sglang.ts';
import { vllm } from './vllm.ts';

/** By name, in the order of detection: the one that any of the others may look like comes last. */
export const engineKinds = {
  llamacpp,
  ollama,
  lmstudio,
  vllm,
  sglang,
  openai,
} as const satisfies Record<EngineName, EngineKind>;

const ordered: readonly EngineKind[] = Object.values(engineKinds);

/**
 * Asks a server what it is. All kinds ask at once and share the answers, so it takes as long as one kind's questions.
 * Throws ProbeFailure when nobody answers, nothing known does, or a kind could not be ruled out.
 */
export async function detectEngineKind(client: ProbeClient): Promise<EngineKind> {
  const shared = rememberAnswers(client);
  const verdicts = await Promise.allSettled(ordered.map((kind) => kind.detect(shared)));
  // A router answers as whatever is behind it, in turn.
  if (await isRouter(shared)) return openai;
  let failure: unknown;
  for (const [index, verdict] of verdicts.entries()) {
    const kind = ordered[index];
    if (verdict.status === 'rejected') {
      failure ??= verdict.reason;
      continue;
    }
    // The fallback would also take an engine whose own questions just went unanswered.
    if (kind !== undefined && verdict.value && (kind !== openai || failure === undefined)) return kind;
  }
  throw failure ?? new ProbeFailure('status', 'No known inference API answers there');
}

async function isRouter(client: ProbeClient): Promise<boolean> {
  const list = await client.get('/v1/models').catch(() => undefined);
  return list !== undefined && isRoutersList(list.json);
}

function rememberAnswers(client: ProbeClient): ProbeClient {
  const answers = new Map<string, Promise<ProbeResponse>>();
  return {
    get(path) {
      const known = answers.get(path) ?? client.get(path);
      answers.set(path, known);
      return known;
    },
  };
}
