/** The whole screen of `llamero top` as lines of text. Pure: the same state and size give the same lines. */
import { ageText, countText, rateText } from './figures.ts';
import { modelRows, outerBackends } from './model-rows.ts';
import type { Paint } from './paint.ts';
import type { BackendReading } from './router-answers.ts';
import { shareRows } from './share-rows.ts';
import { renderTable } from './table.ts';
import { backendColumns, modelColumns, requestColumns } from './top-columns.ts';
import { shownPanes, type Pane, type TopState } from './top-state.ts';
import { cutTo } from './text-width.ts';

export interface View {
  /** Two at least. Both may be Infinity. */
  readonly columns: number;
  readonly rows: number;
  /** Somebody can press keys. */
  readonly isInteractive: boolean;
  readonly paint: Paint;
}

const keysText = 'q quit  ? help  Tab pane  ↑↓ select  l load  u unload  d drain  x cancel';
const helpLines: readonly string[] = [
  'q, Ctrl-C          quit',
  'Tab, Shift-Tab     next, previous pane',
  'arrows, j, k       select a row; scroll the log',
  'PgUp, PgDn         the same by ten',
  'l                  load the selected model',
  'u                  unload the selected model; its running requests get their unloadTimeout',
  'd                  drain the selected backend (no new requests), or resume it',
  'x                  cancel the selected request',
  '?, h               this help',
  '',
  'No color: set NO_COLOR. One plain snapshot: --once.',
];

/** Never more than `rows` lines, none wider than `columns`. */
export function renderTop(state: TopState, view: View): string[] {
  const top = renderHeader(state, view);
  const bottom = view.isInteractive ? [renderFooter(state, view)] : [];
  const room = Math.max(0, view.rows - top.length - bottom.length);
  const middle = (
    state.showsHelp ? helpLines.map((line) => cutTo(line, view.columns)) : renderPanes(state, view, room)
  ).slice(0, room);
  const filling = Number.isFinite(room) ? Array<string>(room - middle.length).fill('') : [];
  return [...top, ...middle, ...filling, ...bottom].slice(0, view.rows);
}

function renderHeader({ address, reading, fault }: TopState, { columns, paint }: View): string[] {
  const { status } = reading;
  const { used, total } = slotsOf(status.backends);
  const marks = [status.demo ? 'DEMO' : '', status.draining ? 'DRAINING' : ''].filter((word) => word !== '');
  const first = [`llamero ${status.version}`, address, `up ${ageText(status.uptime_seconds)}`, ...marks];
  const second = [
    `slots ${used}/${total}`,
    `queue ${countText(status.queue.depth)}`,
    `${rateText(status.traffic.requests_per_minute / 60)} req/s`,
    `${rateText(status.traffic.output_tokens_per_second)} tok/s`,
    `${countText(status.sessions)} sessions`,
  ];
  const lines = [paint(cutTo(first.join('  '), columns), 'strong'), cutTo(second.join('  '), columns)];
  if (fault !== undefined) lines.push(paint(cutTo(`${fault}; trying again`, columns), 'bad'));
  return lines;
}

/** Of backends that take requests, as the router's own charts count them. */
function slotsOf(backends: readonly BackendReading[]): { readonly used: number; readonly total: number } {
  const taking = backends.filter(({ state }) => state === 'live' || state === 'degraded');
  return {
    used: taking.reduce((sum, { slots }) => sum + slots.own + slots.lingering + slots.foreign, 0),
    total: taking.reduce((sum, { slots }) => sum + slots.total, 0),
  };
}

function renderFooter({ notice }: TopState, { columns, paint }: View): string {
  return notice === undefined
    ? paint(cutTo(keysText, columns), 'faint')
    : paint(cutTo(notice, columns), 'strong');
}

/** Where there is no room for all, the pane that has the keys gets what there is. */
function renderPanes(state: TopState, view: View, room: number): string[] {
  const all = shownPanes(state);
  const shown = room >= all.length * 3 ? all : [state.pane];
  const counts = shown.map((pane) => countOf(state, pane));
  const heights = shareRows(counts, Math.max(0, room - shown.length));
  return shown.flatMap((pane, index) => renderPane(state, view, { pane, height: heights[index] ?? 0 }));
}

function countOf({ reading, log }: TopState, pane: Pane): number {
  switch (pane) {
    case 'backends':
      return outerBackends(reading).length;
    case 'models':
      return modelRows(reading).length;
    case 'requests':
      return reading.requests.length;
    case 'logs':
      return log.length;
  }
}

interface Place {
  readonly pane: Pane;
  /** Rows below the heading. */
  readonly height: number;
}

function renderPane(state: TopState, view: View, { pane, height }: Place): string[] {
  const { reading, selected } = state;
  const isFocused = view.isInteractive && state.pane === pane;
  const frame = { width: view.columns, paint: view.paint, isFocused };
  const windowOf = <Row>(rows: readonly Row[], idOf: (row: Row) => string) => {
    const isSelected = (row: Row): boolean => isFocused && idOf(row) === selected[pane];
    const shown = windowAround(rows, rows.findIndex(isSelected), height);
    const count = shown.length < rows.length ? `${shown.length} of ${rows.length}` : String(rows.length);
    return { rows: shown, isSelected, title: `${pane.toUpperCase()} ${count}` };
  };
  switch (pane) {
    case 'backends': {
      const all = outerBackends(reading);
      const hasGpus = all.some(({ gpu }) => gpu !== null);
      const { title, ...rows } = windowOf(all, ({ id }) => id);
      return renderTable({ ...frame, ...rows, columns: backendColumns(title, hasGpus) });
    }
    case 'models': {
      const all = modelRows(reading);
      const hasProcesses = all.some(({ process }) => process !== null);
      const { title, ...rows } = windowOf(all, ({ model }) => model);
      return renderTable({ ...frame, ...rows, columns: modelColumns(title, hasProcesses) });
    }
    case 'requests': {
      const { title, ...rows } = windowOf(reading.requests, ({ request_id }) => request_id);
      return renderTable({ ...frame, ...rows, columns: requestColumns(title) });
    }
    case 'logs':
      return renderLog(state, view, height);
  }
}

/** As many rows as fit, from the first on, or so that the selected one is the last. */
function windowAround<Row>(rows: readonly Row[], selectedIndex: number, height: number): readonly Row[] {
  if (rows.length <= height) return rows;
  const start = Math.max(0, selectedIndex - height + 1);
  return rows.slice(start, start + height);
}

function renderLog(state: TopState, { columns, isInteractive, paint }: View, height: number): string[] {
  const isFocused = isInteractive && state.pane === 'logs';
  const end = state.log.length - state.logOffset;
  const lines = state.log.slice(Math.max(0, end - height), end);
  const title = state.logOffset > 0 ? `LOGS, ${state.logOffset} newer` : 'LOGS';
  const heading = cutTo((isFocused ? '> ' : '  ') + title, columns);
  return [
    paint(heading, isFocused ? 'strong' : 'faint'),
    ...lines.map(({ text, style }) => `  ${paint(cutTo(text, columns - 2), style)}`),
  ];
}
