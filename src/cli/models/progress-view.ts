/** How far a pull, push or create is: bars that move on a terminal, plain lines elsewhere. Knows no network. */
import { bytesText } from '../top/figures.ts';
import { cutTo, fitTo, plainText } from '../top/text-width.ts';
import type { ProgressLine } from './model-answers.ts';

export interface ProgressView {
  /** A state that has been reached, or how far a layer is. Lines about one `digest` are about one layer. */
  show(line: ProgressLine): void;
  /** The last that there is to see stands there; nothing follows. */
  end(): void;
}

export interface LiveProgressOptions {
  readonly write: (text: string) => void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** A clock that only goes forward. */
  readonly nowMs: () => number;
}

const barWidth = 20;
const labelWidth = 20;
/** More often nobody can read it. */
const frameMs = 100;
const eraseRest = '\u001b[K';

interface Entry {
  readonly label: string;
  readonly total: number;
  readonly completed: number;
  /** When it was first heard of, and how far it was then: what had come before is no speed. */
  readonly firstMs: number;
  readonly firstCompleted: number;
  readonly lastMs: number;
}

/** Draws over its own lines, as many of the newest as fit. */
export function createLiveProgress({ write, size, nowMs }: LiveProgressOptions): ProgressView {
  const entries = new Map<string, Entry>();
  let drawnRows = 0;
  let drawnMs = -Infinity;
  const draw = (): void => {
    const { columns, rows } = size();
    // The cursor stands below them, and a full line would wrap.
    const lines = [...entries.values()]
      .slice(-(rows - 1))
      .map((entry) => cutTo(entryText(entry), columns - 1));
    const up = drawnRows === 0 ? '' : `\u001b[${drawnRows}A`;
    write(up + lines.map((line) => `\r${line}${eraseRest}\n`).join(''));
    drawnRows = lines.length;
    drawnMs = nowMs();
  };
  return {
    show(line) {
      const key = line.digest ?? line.status ?? '';
      const before = entries.get(key);
      const { total = 0, completed = 0 } = line;
      entries.set(key, {
        label: plainText(line.status ?? ''),
        total,
        completed,
        firstMs: before?.firstMs ?? nowMs(),
        firstCompleted: before?.firstCompleted ?? completed,
        lastMs: nowMs(),
      });
      if (before === undefined || nowMs() - drawnMs >= frameMs) draw();
    },
    end: draw,
  };
}

/** A line for each state, and for each tenth of a layer. */
export function createPlainProgress(write: (text: string) => void): ProgressView {
  const shown = new Map<string, number>();
  return {
    show({ status = '', digest, total = 0, completed = 0 }) {
      const tenths = total === 0 ? 0 : Math.floor((completed / total) * 10);
      const key = digest ?? status;
      if ((shown.get(key) ?? -1) >= tenths) return;
      shown.set(key, tenths);
      const far = total === 0 ? '' : `: ${tenths * 10} % of ${bytesText(total)}`;
      write(`${plainText(status)}${far}\n`);
    },
    end: () => {},
  };
}

function entryText(entry: Entry): string {
  const { label, total, completed, firstMs, firstCompleted, lastMs } = entry;
  if (total === 0) return label;
  const share = Math.min(1, completed / total);
  const filled = Math.round(share * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  const seconds = (lastMs - firstMs) / 1000;
  const perSecond = seconds > 0 ? (completed - firstCompleted) / seconds : 0;
  const speed = share < 1 && perSecond > 0 ? `  ${bytesText(perSecond)}/s` : '';
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `${fitTo(label, labelWidth)} ${bar} ${percent} %  ${bytesText(completed)} of ${bytesText(total)}${speed}`;
}
