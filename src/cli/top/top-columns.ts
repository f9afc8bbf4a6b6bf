/** The columns of the tables of `llamero top`: what each shows of a row, and which give way where there is little room. */
import { formatDuration } from '../../config/values.ts';
import { ageText, bytesText, countText, rateText } from './figures.ts';
import type { ModelRow } from './model-rows.ts';
import type { Style } from './paint.ts';
import type { BackendReading, RequestReading } from './router-answers.ts';
import type { Cell, Column } from './table.ts';

const nameWidthMin = 12;
const textWidthMin = 10;
/** Percent. */
const loadHigh = 90;
const processTitles: ReadonlySet<string> = new Set(['TTL', 'MEMORY', 'PID']);

/** `title`: of the first column, which stands for the table. Without `hasGpus` there is no column about them. */
export function backendColumns(title: string, hasGpus: boolean): Column<BackendReading>[] {
  const columns: Column<BackendReading>[] = [
    { title, rank: 0, widthMin: nameWidthMin, cell: ({ id }) => ({ text: id }) },
    { title: 'STATE', rank: 0, cell: ({ state }) => stateCell(state) },
    {
      title: 'SLOTS',
      rank: 0,
      align: 'right',
      cell: ({ slots }) => busyCell(slots.own + slots.lingering + slots.foreign, slots.total),
    },
    {
      title: 'TOK/S',
      rank: 1,
      align: 'right',
      cell: ({ traffic }) => figure(traffic.output_tokens_per_second, rateText),
    },
    {
      title: 'GPU',
      rank: 1,
      align: 'right',
      cell: ({ gpu }) => (gpu === null ? none : loadCell(gpu.load_percent)),
    },
    { title: 'LOADED', rank: 2, widthMin: textWidthMin, cell: ({ loaded }) => ({ text: loaded.join(' ') }) },
    { title: 'ENGINE', rank: 3, cell: ({ engine }) => ({ text: engine }) },
    { title: 'URL', rank: 4, widthMin: textWidthMin, cell: ({ url }) => ({ text: url, style: 'faint' }) },
    {
      title: '',
      rank: 5,
      widthMin: textWidthMin,
      cell: ({ reason }) => ({ text: reason ?? '', style: 'warn' }),
    },
  ];
  return hasGpus ? columns : columns.filter(({ title: name }) => name !== 'GPU');
}

/** Without `hasProcesses` there is no column about processes. */
export function modelColumns(title: string, hasProcesses: boolean): Column<ModelRow>[] {
  const columns: Column<ModelRow>[] = [
    { title, rank: 0, widthMin: nameWidthMin, cell: ({ model }) => ({ text: model }) },
    {
      title: 'STATE',
      rank: 0,
      cell: ({ state, fault }) => stateCell(fault === undefined ? state : 'failed'),
    },
    { title: 'BUSY', rank: 0, align: 'right', cell: ({ inFlight, slots }) => busyCell(inFlight, slots) },
    {
      title: 'QUEUE',
      rank: 1,
      align: 'right',
      cell: ({ queued }) => figure(queued, countText, 'warn'),
    },
    {
      title: 'TTL',
      rank: 3,
      align: 'right',
      cell: (row) => (row.process === null ? none : figure(row.process.ttl_seconds * 1000, formatDuration)),
    },
    {
      title: 'MEMORY',
      rank: 4,
      align: 'right',
      cell: ({ memoryBytes }) => figure(memoryBytes ?? 0, bytesText),
    },
    {
      title: 'PID',
      rank: 5,
      align: 'right',
      cell: (row) => ({ text: String(row.process?.pid ?? '') }),
    },
    {
      title: 'WHERE',
      rank: 2,
      widthMin: textWidthMin,
      cell: ({ process, backends, fault }) =>
        fault === undefined
          ? { text: process === null ? backends.join(' ') : 'here', style: 'faint' }
          : { text: fault, style: 'bad' },
    },
  ];
  return hasProcesses ? columns : columns.filter(({ title: name }) => !processTitles.has(name));
}

export function requestColumns(title: string): Column<RequestReading>[] {
  return [
    {
      title,
      rank: 0,
      widthMin: nameWidthMin,
      cell: ({ model_id, requested_model }) => ({ text: model_id ?? requested_model ?? '-' }),
    },
    { title: 'PHASE', rank: 0, cell: phaseCell },
    { title: 'AGE', rank: 0, align: 'right', cell: ({ age_seconds }) => ({ text: ageText(age_seconds) }) },
    {
      title: 'OUT',
      rank: 1,
      align: 'right',
      cell: ({ output_tokens }) => figure(output_tokens ?? 0, countText),
    },
    {
      title: 'IN',
      rank: 2,
      align: 'right',
      cell: ({ input_tokens, estimated_tokens }) =>
        input_tokens === null
          ? { text: `~${countText(estimated_tokens)}`, style: 'faint' }
          : { text: countText(input_tokens) },
    },
    {
      title: 'BACKEND',
      rank: 3,
      widthMin: textWidthMin,
      cell: ({ backend_id }) => ({ text: backend_id ?? '' }),
    },
    { title: 'FROM', rank: 4, widthMin: textWidthMin, cell: ({ flow }) => ({ text: flow }) },
    { title: 'ROUTE', rank: 6, cell: ({ route }) => ({ text: route, style: 'faint' }) },
    {
      title: 'ID',
      rank: 5,
      widthMin: textWidthMin,
      cell: ({ request_id }) => ({ text: request_id, style: 'faint' }),
    },
  ];
}

const none: Cell = { text: '' };

const styleOfState: Readonly<Record<string, Style>> = {
  live: 'good',
  loaded: 'good',
  starting: 'busy',
  stopping: 'busy',
  degraded: 'warn',
  draining: 'warn',
  dead: 'bad',
  failed: 'bad',
  away: 'bad',
};

function stateCell(state: string): Cell {
  return { text: state, style: Object.hasOwn(styleOfState, state) ? styleOfState[state] : 'faint' };
}

function phaseCell({ phase, position }: RequestReading): Cell {
  if (phase !== 'queued') return { text: phase, style: phase === 'streaming' ? 'good' : 'busy' };
  return { text: position === null ? phase : `queued #${position}`, style: 'warn' };
}

function busyCell(used: number, total: number | undefined): Cell {
  const text = total === undefined ? String(used) : `${used}/${total}`;
  if (used === 0) return { text, style: 'faint' };
  return { text, style: total !== undefined && used >= total ? 'warn' : 'busy' };
}

/** Of GPUs whose monitor is silent nothing is known. */
function loadCell(percent: number | null): Cell {
  if (percent === null) return { text: '?', style: 'faint' };
  return { text: `${Math.round(percent)}%`, style: percent >= loadHigh ? 'warn' : 'busy' };
}

/** Nothing at all for zero: a screen of zeros hides the rest. */
function figure(value: number, toText: (value: number) => string, style?: Style): Cell {
  return value === 0 ? none : { text: toText(value), style };
}
