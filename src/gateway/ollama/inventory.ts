/** What an Ollama has at this moment, asked so that nothing changes there. */
import { isObject } from '../../dialects/ir/fields.ts';
import { canonicalName } from '../../dialects/ollama-surface/names.ts';
import type { Backend } from '../../engines/backend.ts';
import { askBackend } from './backends.ts';
import type { SurfaceCall } from './call.ts';

export interface KeptModel {
  readonly digest: string | undefined;
  /** Bytes on disk, shared layers included. */
  readonly bytes: number | undefined;
}

export class Inventory {
  readonly backend: Backend;
  /** Why nothing is known; undefined = all is. */
  readonly failure: string | undefined;
  readonly #kept: ReadonlyMap<string, KeptModel>;
  readonly #loaded: ReadonlySet<string>;

  constructor(
    backend: Backend,
    known: {
      readonly failure?: string | undefined;
      readonly kept?: ReadonlyMap<string, KeptModel>;
      readonly loaded?: ReadonlySet<string>;
    },
  ) {
    this.backend = backend;
    this.failure = known.failure;
    this.#kept = known.kept ?? new Map();
    this.#loaded = known.loaded ?? new Set();
  }

  /** By any of Ollama's spellings. */
  find(name: string): KeptModel | undefined {
    return this.#kept.get(canonicalName(name));
  }

  /** In memory. */
  isLoaded(name: string): boolean {
    return this.#loaded.has(canonicalName(name));
  }
}

/** Never rejects. */
export async function takeInventory(backend: Backend, call: SurfaceCall): Promise<Inventory> {
  const [tags, running] = await Promise.all(
    ['/api/tags', '/api/ps'].map((path) => askBackend(backend, { method: 'GET', path, call })),
  );
  const kept = tags?.status === 200 ? modelsIn(tags.text) : undefined;
  if (kept === undefined) {
    const failure = tags === undefined || tags.status === 0 ? tags?.text : `status ${tags.status}`;
    return new Inventory(backend, { failure: failure ?? 'no answer' });
  }
  const loaded = new Set(modelsIn(running?.text ?? '')?.keys());
  return new Inventory(backend, { kept, loaded });
}

/** By the one spelling that stands for all; undefined: the text is no such list. */
function modelsIn(text: string): ReadonlyMap<string, KeptModel> | undefined {
  const models = tryParse(text)?.['models'];
  if (!Array.isArray(models)) return undefined;
  const kept = new Map<string, KeptModel>();
  for (const model of models as unknown[]) {
    if (!isObject(model) || typeof model['name'] !== 'string') continue;
    const { name, digest, size } = model;
    kept.set(canonicalName(name), {
      digest: typeof digest === 'string' ? digest : undefined,
      bytes: typeof size === 'number' ? size : undefined,
    });
  }
  return kept;
}

function tryParse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
