/** Reads a page in Prometheus' text format that somebody else wrote. Strict and bounded: half a page is none. */

export type ForeignType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

export interface ForeignFamily {
  readonly name: string;
  type: ForeignType;
  help: string | undefined;
  readonly samples: ForeignSample[];
}

export interface ForeignSample {
  /** With the suffix of a histogram or summary. */
  readonly name: string;
  /** Values as written, still escaped. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** As written: a number, `NaN`, `+Inf` or `-Inf`. Its time, if there was one, is left out. */
  readonly value: string;
}

export const samplesMax = 20_000;

const samplePattern =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(?:\{(.*)\})?[ \t]*([+-]?(?:Inf|\d[\d.]*(?:[eE][+-]?\d+)?|\.\d+)|NaN)(?:[ \t]+-?\d+(?:\.\d+)?)?$/;
const commentPattern = /^#[ \t]+(HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?$/;
const labelPattern = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\[\\n"])*)"[ \t]*(,|$)/y;
const types: Readonly<Record<string, ForeignType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  untyped: 'untyped',
  unknown: 'untyped',
};

/** @throws Error with the offending line. */
export function parseExposition(text: string): Map<string, ForeignFamily> {
  const families = new Map<string, ForeignFamily>();
  let samples = 0;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('#')) {
      readComment(families, line);
      continue;
    }
    const sample = parseSample(line);
    samples += 1;
    if (samples > samplesMax) throw new Error(`More than ${samplesMax} samples`);
    familyOf(families, sample.name).samples.push(sample);
  }
  return families;
}

function readComment(families: Map<string, ForeignFamily>, line: string): void {
  const [, keyword, name, rest = ''] = commentPattern.exec(line) ?? [];
  if (keyword === undefined || name === undefined) return;
  const family = named(families, name);
  if (keyword === 'HELP') {
    family.help = rest;
    return;
  }
  const type = Object.hasOwn(types, rest) ? types[rest] : undefined;
  if (type === undefined || family.samples.length > 0)
    throw new Error(`Not a type here: ${line.slice(0, 200)}`);
  family.type = type;
}

function parseSample(line: string): ForeignSample {
  const [, name, labelText = '', value] = samplePattern.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`Not a sample: ${line.slice(0, 200)}`);
  const labels: (readonly [string, string])[] = [];
  labelPattern.lastIndex = 0;
  while (labelPattern.lastIndex < labelText.length) {
    const [, label, text] = labelPattern.exec(labelText) ?? [];
    if (label === undefined || text === undefined || labels.some(([other]) => other === label)) {
      throw new Error(`Bad labels: ${line.slice(0, 200)}`);
    }
    labels.push([label, text]);
  }
  return { name, labels, value };
}

/** The one that was announced for it, else one of its own. */
function familyOf(families: Map<string, ForeignFamily>, sample: string): ForeignFamily {
  const base = sample.replace(/_(?:bucket|sum|count)$/, '');
  const announced = base === sample ? undefined : families.get(base);
  const hasParts = announced?.type === 'histogram' || announced?.type === 'summary';
  return announced !== undefined && hasParts ? announced : named(families, sample);
}

function named(families: Map<string, ForeignFamily>, name: string): ForeignFamily {
  const known = families.get(name);
  if (known !== undefined) return known;
  const family: ForeignFamily = { name, type: 'untyped', help: undefined, samples: [] };
  families.set(name, family);
  return family;
}
