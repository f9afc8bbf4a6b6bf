/** What the screen shows and what is chosen on it, and what a key does to that. Pure: draws nothing, asks nobody. */
import { modelRows, outerBackends } from './model-rows.ts';
import type { Key } from './keys.ts';
import type { LogLine } from './log-lines.ts';
import type { Reading } from './router-answers.ts';
import type { Action, LogSource } from './router-client.ts';

export const panes = ['backends', 'models', 'requests', 'logs'] as const;
export type Pane = (typeof panes)[number];

export interface TopState {
  /** Where the router is, for the header. */
  readonly address: string;
  /** The last that was good. */
  readonly reading: Reading;
  /** Why there is no newer one; undefined = the last attempt was good. */
  readonly fault: string | undefined;
  /** Oldest first. */
  readonly log: readonly LogLine[];
  /** Lines between the end of the log and the last one that is shown. */
  readonly logOffset: number;
  readonly pane: Pane;
  /** Ids, by pane. One that has gone selects nothing, so that no key hits another row instead. */
  readonly selected: Readonly<Partial<Record<Pane, string>>>;
  readonly showsHelp: boolean;
  /** What came of the last key. */
  readonly notice: string | undefined;
}

export interface KeyResult {
  readonly state: TopState;
  readonly effect?: { readonly type: 'quit' } | { readonly type: 'act'; readonly action: Action };
}

/** Lines of log that are kept. */
const logLinesMax = 1000;
const pageRows = 10;

export function initialState(address: string, reading: Reading): TopState {
  return {
    address,
    reading,
    fault: undefined,
    log: [],
    logOffset: 0,
    pane: 'models',
    selected: {},
    showsHelp: false,
    notice: undefined,
  };
}

/** A log that is scrolled back stays where it is. */
export function withLogLines(state: TopState, lines: readonly LogLine[]): TopState {
  const log = [...state.log, ...lines].slice(-logLinesMax);
  const logOffset = state.logOffset === 0 ? 0 : Math.min(log.length - 1, state.logOffset + lines.length);
  return { ...state, log, logOffset };
}

export function withoutLog(state: TopState, source: LogSource): TopState {
  return { ...state, log: state.log.filter((line) => line.source !== source), logOffset: 0 };
}

/** Panes that have something to show beside a heading. */
export function shownPanes({ reading }: TopState): Pane[] {
  return panes.filter((pane) => pane !== 'backends' || outerBackends(reading).length > 0);
}

/** Ids of the rows of a pane, in their order. */
export function rowIds({ reading }: TopState, pane: Pane): string[] {
  switch (pane) {
    case 'backends':
      return outerBackends(reading).map(({ id }) => id);
    case 'models':
      return modelRows(reading).map(({ model }) => model);
    case 'requests':
      return reading.requests.map(({ request_id }) => request_id);
    case 'logs':
      return [];
  }
}

export function handleKey(before: TopState, key: Key): KeyResult {
  const state = { ...before, notice: undefined };
  if (key === 'quit') return { state, effect: { type: 'quit' } };
  if (key === 'help') return { state: { ...state, showsHelp: !state.showsHelp } };
  if (state.showsHelp) return { state: { ...state, showsHelp: false } };
  switch (key) {
    case 'nextPane':
      return { state: withNeighbourPane(state, 1) };
    case 'previousPane':
      return { state: withNeighbourPane(state, -1) };
    case 'up':
      return { state: moved(state, -1) };
    case 'down':
      return { state: moved(state, 1) };
    case 'pageUp':
      return { state: moved(state, -pageRows) };
    case 'pageDown':
      return { state: moved(state, pageRows) };
    case 'load':
    case 'unload':
    case 'drain':
    case 'cancel':
      return actOnSelected(state, key);
    case 'escape':
      return { state };
  }
}

function withNeighbourPane(state: TopState, step: 1 | -1): TopState {
  const shown = shownPanes(state);
  const index = shown.indexOf(state.pane) + step;
  return { ...state, pane: shown.at(index % shown.length) ?? state.pane };
}

function moved(state: TopState, step: number): TopState {
  const { pane } = state;
  if (pane === 'logs') {
    const logOffset = Math.max(0, Math.min(state.log.length - 1, state.logOffset - step));
    return { ...state, logOffset };
  }
  const ids = rowIds(state, pane);
  const index = ids.indexOf(state.selected[pane] ?? '');
  const start = index === -1 && step < 0 ? ids.length : index;
  const id = ids[Math.max(0, Math.min(ids.length - 1, start + step))];
  return id === undefined ? state : { ...state, selected: { ...state.selected, [pane]: id } };
}

type ActingKey = 'load' | 'unload' | 'drain' | 'cancel';

const paneOfKey: Readonly<Record<ActingKey, Pane>> = {
  load: 'models',
  unload: 'models',
  drain: 'backends',
  cancel: 'requests',
};

/** Only in the pane that has the keys: what is hit must be in sight. */
function actOnSelected(state: TopState, key: ActingKey): KeyResult {
  const pane = paneOfKey[key];
  const one = pane.slice(0, -1);
  const id = rowIds(state, pane).find((each) => each === state.selected[pane]);
  if (state.pane !== pane || id === undefined) {
    return { state: { ...state, notice: `To ${key}, select a ${one} first (Tab, arrows)` } };
  }
  const verb = key === 'drain' && isDraining(state, id) ? 'resume' : key;
  return { state: { ...state, notice: `${verb} ${id} …` }, effect: { type: 'act', action: { verb, id } } };
}

function isDraining({ reading }: TopState, id: string): boolean {
  return reading.status.backends.some((backend) => backend.id === id && backend.state === 'draining');
}
