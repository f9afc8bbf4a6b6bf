/** Answers of Ollama's `/api/tags` and `/api/ps` from what a fleet knows of its models. Pure: asks nobody. */
import { createHash } from 'node:crypto';
import { countOf, textOf } from '../ir/fields.ts';
import type { JsonObject } from '../ir/request.ts';
import { timestamp } from '../ollama/timestamps.ts';
import { describeModel, isOllamasOwn } from './describe-model.ts';
import type { ModelDescription } from './describe-model.ts';
import { canonicalName, taggedName } from './names.ts';

export interface ModelFacts {
  /** As the fleet's clients know it. */
  readonly id: string;
  /** Its entry of a model list in OpenAI's form, with all that its engine says of it. */
  readonly object: JsonObject;
  /** The own object of an engine that has it in memory. */
  readonly running: JsonObject | undefined;
  /** Ids of those that have it, in configuration order. */
  readonly backends: readonly string[];
  readonly loaded: boolean;
  /** Tokens that a request to it may have; undefined = nobody knows. */
  readonly contextTokens: number | undefined;
  /** Memory on graphics cards; undefined = nobody knows. */
  readonly vramBytes: number | undefined;
  /** It is taken out of memory after so long without a request; undefined = never, as far as one knows. */
  readonly idleMsMax: number | undefined;
}

/** A model in the memory of one backend. */
export interface RunningModel {
  readonly model: ModelFacts;
  readonly backend: string;
  /** What that calls it. */
  readonly nameThere: string;
}

export interface Moment {
  /** Unix time in milliseconds. */
  readonly nowMs: number;
  /** Unix time in milliseconds of models that nobody dates. */
  readonly startedMs: number;
}

/** What of Ollama's own entries belongs to `/api/ps` alone. */
const runningMembers = ['size_vram', 'expires_at', 'context_length'] as const;
const ownMembers = [
  'name',
  'model',
  'remote_model',
  'remote_host',
  'modified_at',
  'size',
  'digest',
  'details',
  'capabilities',
] as const;

/** `/api/tags`: every model once, under the name with its tag. */
export function tagsBody(models: readonly ModelFacts[], moment: Moment): JsonObject {
  return { models: onceEach(models).map((model) => ({ ...entryOf(model, moment), ...backendsOf(model) })) };
}

/** `/api/ps`: what is in memory. */
export function psBody(models: readonly ModelFacts[], moment: Moment): JsonObject {
  const loaded = onceEach(models.filter((model) => model.loaded));
  return { models: loaded.map((model) => ({ ...runningEntryOf(model, moment), ...backendsOf(model) })) };
}

/** `/api/ps_details`, nomyo-router's: what is in memory, a row for each backend. */
export function psDetailsBody(running: readonly RunningModel[], moment: Moment): JsonObject {
  return {
    models: running.map(({ model, backend, nameThere }) => ({
      ...runningEntryOf(model, moment),
      endpoint: backend,
      original_name: nameThere,
    })),
  };
}

function runningEntryOf(model: ModelFacts, moment: Moment): JsonObject {
  const { modified_at: _modified, capabilities: _capabilities, ...entry } = entryOf(model, moment);
  return { ...entry, ...runningOf(model, moment) };
}

function onceEach(models: readonly ModelFacts[]): readonly ModelFacts[] {
  const seen = new Set<string>();
  return models.filter(({ id }) => {
    const key = canonicalName(id);
    return !seen.has(key) && seen.add(key);
  });
}

function entryOf({ id, object }: ModelFacts, { startedMs }: Moment): JsonObject {
  const name = taggedName(id);
  const described = describeModel(id, object);
  if (isOllamasOwn(object)) {
    const own = ownMembers.filter((key) => key in object).map((key) => [key, object[key]] as const);
    return { ...Object.fromEntries(own), name, model: name };
  }
  const { sizeBytes = 0, capabilities } = described;
  return {
    name,
    model: name,
    modified_at: timestamp(modifiedMs(object) ?? startedMs),
    size: sizeBytes,
    digest: digestOf(name, sizeBytes),
    details: detailsOf(described),
    ...(capabilities.length > 0 && { capabilities }),
  };
}

function runningOf(model: ModelFacts, { nowMs }: Moment): JsonObject {
  const { contextTokens, vramBytes, idleMsMax, running = {} } = model;
  const own = runningMembers.filter((key) => key in running).map((key) => [key, running[key]] as const);
  const tokens = contextTokens ?? countOf(running['context_length']);
  return {
    size_vram: vramBytes ?? 0,
    expires_at: timestamp(nowMs + (idleMsMax ?? foreverMs)),
    ...(tokens !== undefined && { context_length: tokens }),
    ...(isOllamasOwn(running) && Object.fromEntries(own)),
  };
}

/** Ollama says `Forever` of what stays for more than 20 years. */
const foreverMs = 100 * 365 * 24 * 3_600_000;

/** Not in Ollama's own answers; its clients leave out what they do not know. */
function backendsOf({ backends }: ModelFacts): JsonObject {
  return { llamero: { backends } };
}

export function detailsOf({ format, family, parameterSize, quantization }: ModelDescription): JsonObject {
  return {
    parent_model: '',
    format,
    family,
    families: family === '' ? [] : [family],
    parameter_size: parameterSize,
    quantization_level: quantization,
  };
}

/**
 * Ollama's clients tell models apart by their digest, and cut 12 letters off it without asking for its length. Engines
 * that have none get one of the name and the size.
 */
function digestOf(name: string, sizeBytes: number): string {
  return createHash('sha256').update(`${name}\n${sizeBytes}`).digest('hex');
}

/** Unix time in milliseconds. */
export function modifiedMs(object: JsonObject): number | undefined {
  const parsed = Date.parse(textOf(object['modified_at']));
  if (Number.isFinite(parsed)) return parsed;
  const createdS = countOf(object['created']);
  return createdS === undefined || createdS === 0 || createdS > latestS ? undefined : createdS * 1000;
}

/** The year 9999: what comes after cannot be written. */
const latestS = 253_402_300_799;

/** The lowest of several versions like `0.13.1` or `0.14.0-rc2`; undefined: none of them is one. */
export function lowestVersion(versions: readonly string[]): string | undefined {
  const known = versions.filter((version) => /^\d+(?:\.\d+)*/.test(version));
  return known.toSorted(compareVersions)[0];
}

function compareVersions(one: string, other: string): number {
  const left = numbersOf(one);
  const right = numbersOf(other);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  // A candidate comes before what it is a candidate for.
  return Number(other.includes('-')) - Number(one.includes('-'));
}

function numbersOf(version: string): readonly number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}
