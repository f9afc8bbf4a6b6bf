/**
 * What engines said of their contexts when a prompt was too long: how many tokens they hold, and how far a guess is from
 * their own count. Bounded, and forgotten when the engine or its context is another one than before.
 */
import type { ModelName } from '../../domain/ids.ts';
import type { Backend } from '../../engines/backend.ts';

export interface ContextSize {
  readonly tokens: number;
  /** Tokens by the engine's count for each one that is guessed; undefined = it never counted. */
  readonly perGuess: number | undefined;
}

interface Known {
  readonly epoch: number;
  readonly models: Map<ModelName, ContextSize & { readonly told: number | undefined }>;
}

/** Of one backend. The oldest one goes. */
const modelsMax = 200;

export class ContextSizes {
  readonly #known = new WeakMap<Backend, Known>();

  /** undefined = neither the engine's readings nor its errors tell. `model`: by its canonical name there. */
  get(backend: Backend, model: ModelName): ContextSize | undefined {
    const told = backend.view.contextTokens.get(model);
    const learnt = this.#modelsOf(backend).get(model);
    if (learnt !== undefined && learnt.told === told) return learnt;
    return told === undefined ? undefined : { tokens: told, perGuess: undefined };
  }

  learn(backend: Backend, model: ModelName, size: ContextSize): void {
    const models = this.#modelsOf(backend);
    models.delete(model);
    models.set(model, { ...size, told: backend.view.contextTokens.get(model) });
    const [oldest] = models.keys();
    if (models.size > modelsMax && oldest !== undefined) models.delete(oldest);
  }

  #modelsOf(backend: Backend): Known['models'] {
    const { epoch } = backend.view;
    const known = this.#known.get(backend);
    if (known?.epoch === epoch) return known.models;
    const models: Known['models'] = new Map();
    this.#known.set(backend, { epoch, models });
    return models;
  }
}
