/** `filters` as edits in the order in which they are made. `model` decides about routing and is never edited here. */
import type { ParamPath, ResolvedFilters, SetParam } from './models.ts';
import type { ModelEntry, PeerEntry } from './schema.ts';

const protectedParam = 'model';

export function resolveFilters(filters: ModelEntry['filters'] | PeerEntry['filters']): ResolvedFilters {
  const byId = 'setParamsByID' in filters ? filters.setParamsByID : {};
  return {
    stripParams: stripParamsOf(filters),
    setParams: setParamsOf(filters.setParams),
    setParamsById: new Map(Object.entries(byId).map(([name, params]) => [name, setParamsOf(params)])),
  };
}

function stripParamsOf(filters: PeerEntry['filters']): ParamPath[] {
  const text = filters.stripParams === '' ? (filters.strip_params ?? '') : filters.stripParams;
  const names = text.split(',').map((name) => name.trim());
  const wanted = new Set(names.filter((name) => name !== '' && name !== protectedParam));
  return [...wanted].sort().map(pathOf);
}

function setParamsOf(params: Readonly<Record<string, unknown>>): SetParam[] {
  return Object.keys(params)
    .filter((key) => key !== protectedParam)
    .sort()
    .map((key) => ({ path: pathOf(key), json: JSON.stringify(params[key]) }));
}

/** Dots separate; a dot after a backslash belongs to the name. */
function pathOf(key: string): ParamPath {
  return Array.from(key.matchAll(/(?:^|\.)((?:\\.|[^.\\]|\\$)*)/g), ([, part = '']) =>
    part.replaceAll(/\\(.)/g, '$1'),
  );
}
