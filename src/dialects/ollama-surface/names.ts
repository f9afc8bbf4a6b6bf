/**
 * Names of models as Ollama's clients say them, and which name of the fleet each one means. Nothing of a name is thrown
 * away: other quants, other organisations and other tags are other models.
 */

const defaultTag = 'latest';
/** What both Ollama and llama.cpp take of a Hugging Face repository when no quant is named. */
const quantUsual = 'q4_k_m';

/** Prefixes that say no more than where a name comes from by itself. */
const silentPrefixes: readonly string[] = ['registry.ollama.ai/library/', 'library/'];
const huggingFace = /^(?:hf\.co|huggingface\.co)\//;

interface NameParts {
  readonly path: string;
  /** Empty: there is none. */
  readonly tag: string;
}

/** The tag is what follows a colon in the last segment. */
function partsOf(name: string): NameParts {
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { path: name, tag: '' };
  return { path: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** The name as Ollama shows it: with its tag. */
export function taggedName(name: string): string {
  const { path, tag } = partsOf(name);
  return tag === '' ? `${path}:${defaultTag}` : name;
}

/** The one key of all spellings that mean the same whatever models there are: with a tag, without the default registry. */
export function canonicalName(name: string): string {
  const tagged = taggedName(name);
  const prefix = silentPrefixes.find((start) => tagged.startsWith(start));
  const bare = prefix === undefined ? tagged : tagged.slice(prefix.length);
  return bare.replace(huggingFace, 'hf.co/');
}

/** The key of spellings that mean the same where no two models differ in them: Ollama does not look at case. */
function looseName(name: string): string {
  return canonicalName(name).replace(huggingFace, '').toLowerCase();
}

/** Looks names up among those that a fleet knows. Build it anew when they change. */
export class OllamaNames {
  readonly #known: ReadonlySet<string>;
  readonly #byKey = new Map<string, string>();
  /** undefined: several models. */
  readonly #byLooseKey = new Map<string, string | undefined>();
  /** All quants of a repository, by its path. */
  readonly #byRepository = new Map<string, string[]>();

  constructor(known: Iterable<string>) {
    this.#known = new Set(known);
    for (const name of this.#known) {
      const key = canonicalName(name);
      if (!this.#byKey.has(key)) this.#byKey.set(key, name);
    }
    for (const [key, name] of this.#byKey) {
      const loose = looseName(key);
      this.#byLooseKey.set(loose, this.#byLooseKey.has(loose) ? undefined : name);
      const { path } = partsOf(loose);
      if (!path.includes('/')) continue;
      const quants = this.#byRepository.get(path);
      if (quants === undefined) this.#byRepository.set(path, [name]);
      else quants.push(name);
    }
  }

  /**
   * The fleet's name for a client's. In this order: the name itself; with or without `:latest` and the default registry;
   * with or without `hf.co/`, in any case, where that leaves one model; for a repository without a quant the only one,
   * else Q4_K_M. undefined: none of them.
   */
  find(name: string): string | undefined {
    if (this.#known.has(name)) return name;
    const found = this.#byKey.get(canonicalName(name)) ?? this.#byLooseKey.get(looseName(name));
    return found ?? this.#quantOf(name);
  }

  #quantOf(name: string): string | undefined {
    const { path, tag } = partsOf(looseName(name));
    const quants = tag === defaultTag ? (this.#byRepository.get(path) ?? []) : [];
    if (quants.length === 1) return quants[0];
    return quants.find((quant) => partsOf(quant).tag.toLowerCase() === quantUsual);
  }
}
