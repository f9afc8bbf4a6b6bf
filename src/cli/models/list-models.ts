/** `llamero models list` and `ps`: what the router serves, and what is in memory where. Changes nothing. */
import { describeModel } from '../../dialects/ollama-surface/describe-model.ts';
import { taggedName } from '../../dialects/ollama-surface/names.ts';
import { plainTable } from '../plain-table.ts';
import { ageText, bytesText } from '../top/figures.ts';
import { modelList, runningList, tagList, type ModelEntry, type RunningEntry } from './model-answers.ts';
import { askForJson, print, type ModelsCall } from './models-call.ts';

interface ListedModel {
  readonly name: string;
  readonly state: string;
  readonly loaded_on: readonly string[];
  /** Those that can serve it. */
  readonly backends: readonly string[];
  readonly size_bytes: number | null;
  /** Of what is in memory, else as declared, else what it was trained for. */
  readonly context_tokens: number | null;
  readonly aliases: readonly string[];
}

interface RunningModel {
  readonly name: string;
  readonly backend: string;
  readonly size_bytes: number | null;
  readonly vram_bytes: number | null;
  readonly context_tokens: number | null;
  readonly expires_at: string;
}

const unknown = '-';
/** What stays for longer stays for ever: nobody sets such a time. */
const foreverS = 20 * 365 * 86_400;

export async function listModels(call: ModelsCall): Promise<void> {
  const [{ data }, { models: tags }, { models: running }] = await Promise.all([
    askForJson(call, { path: 'v1/models' }, modelList),
    askForJson(call, { path: 'api/tags' }, tagList),
    askForJson(call, { path: 'api/ps_details' }, runningList),
  ]);
  const sizes = new Map(tags.map(({ name, size }) => [name, size]));
  const models = data.map((entry) => {
    const name = taggedName(entry.id);
    return describe(entry, {
      sizeBytes: sizes.get(name),
      running: running.filter((one) => one.name === name),
    });
  });
  const rows = models.map((model) => [
    model.name,
    model.state,
    model.loaded_on.join(',') || unknown,
    sizeText(model.size_bytes),
    model.context_tokens?.toString() ?? unknown,
    model.aliases.join(',') || unknown,
  ]);
  print(call, models, plainTable(['NAME', 'STATE', 'LOADED ON', 'SIZE', 'CONTEXT', 'ALIASES'], rows));
}

export async function listRunning(call: ModelsCall): Promise<void> {
  const [{ data }, { models: running }] = await Promise.all([
    askForJson(call, { path: 'v1/models' }, modelList),
    askForJson(call, { path: 'api/ps_details' }, runningList),
  ]);
  const names = new Map(data.map(({ id }) => [taggedName(id), id]));
  const models = running.map((one): RunningModel => ({
    name: names.get(one.name) ?? one.name,
    backend: one.endpoint,
    size_bytes: one.size || null,
    vram_bytes: one.size_vram || null,
    context_tokens: one.context_length ?? null,
    expires_at: one.expires_at,
  }));
  const rows = models.map((model) => [
    model.name,
    model.backend,
    sizeText(model.size_bytes),
    sizeText(model.vram_bytes),
    model.context_tokens?.toString() ?? unknown,
    leftText(model.expires_at),
  ]);
  print(call, models, plainTable(['NAME', 'BACKEND', 'SIZE', 'GPU MEMORY', 'CONTEXT', 'UNLOADED IN'], rows));
}

function describe(
  entry: ModelEntry,
  known: { readonly sizeBytes: number | undefined; readonly running: readonly RunningEntry[] },
): ListedModel {
  const { id, aliases, status, llamero, meta } = entry;
  const { trainedTokens } = describeModel(id, entry);
  const declared = typeof meta === 'object' && meta !== null && 'n_ctx' in meta ? meta.n_ctx : undefined;
  const inMemory = known.running.map((one) => one.context_length).find((tokens) => tokens !== undefined);
  return {
    name: id,
    state: status.value,
    loaded_on: known.running.map(({ endpoint }) => endpoint),
    backends: llamero.backends,
    size_bytes: known.sizeBytes || null,
    context_tokens: inMemory ?? (typeof declared === 'number' ? declared : trainedTokens) ?? null,
    aliases,
  };
}

function sizeText(bytes: number | null): string {
  return bytes === null ? unknown : bytesText(bytes);
}

function leftText(expiresAt: string): string {
  const leftS = (Date.parse(expiresAt) - Date.now()) / 1000;
  return leftS < foreverS ? ageText(Math.max(0, leftS)) : unknown;
}
