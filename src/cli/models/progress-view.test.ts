import { describe, expect, test } from 'vitest';
import { createLiveProgress, createPlainProgress } from './progress-view.ts';

const escape = '\u001b';
const mebibytes = (count: number): number => count * 2 ** 20;

/** The lines that a terminal shows after what was written to it. */
function screenOf(written: string): string[] {
  const lines: string[] = [];
  let row = 0;
  for (const line of written.replaceAll(escape, '^').split('\n').slice(0, -1)) {
    const { up = '0', text = '' } = /^(?:\^\[(?<up>\d+)A)?\r(?<text>.*)\^\[K$/.exec(line)?.groups ?? {};
    row -= Number(up);
    lines[row] = text;
    row += 1;
  }
  return lines;
}

function liveView(rows = 24, columns = 80) {
  let written = '';
  let nowMs = 0;
  const view = createLiveProgress({
    write: (text) => (written += text),
    size: () => ({ columns, rows }),
    nowMs: () => nowMs,
  });
  return {
    view,
    written: () => written,
    screen: () => screenOf(written),
    pass: (ms: number) => (nowMs += ms),
  };
}

describe('live progress', () => {
  test('draws a bar for each layer over its own lines, with the speed of what came since it looks', () => {
    const { view, screen, pass } = liveView();
    view.show({ status: 'pulling manifest' });
    view.show({ status: 'pulling d', digest: 'd', total: mebibytes(400), completed: mebibytes(100) });
    pass(2000);
    view.show({ status: 'pulling d', digest: 'd', total: mebibytes(400), completed: mebibytes(200) });
    expect(screen()).toEqual([
      'pulling manifest',
      expect.stringMatching(/^pulling d +█{10}░{10} {2}50 % {2}200 MiB of 400 MiB {2}50 MiB\/s$/),
    ]);
    view.show({ status: 'pulling d', digest: 'd', total: mebibytes(400), completed: mebibytes(400) });
    view.end();
    expect(screen()[1]).toMatch(/█{20} 100 % {2}400 MiB of 400 MiB$/);
  });

  test('draws no more than ten times a second', () => {
    const { view, written, pass } = liveView();
    for (let at = 0; at <= 1000; at += 1) {
      view.show({ status: 'pulling d', digest: 'd', total: 1000, completed: at });
      pass(1);
    }
    expect(written().match(/\n/g)?.length).toBeLessThanOrEqual(11);
  });

  test('never takes more lines than there are, nor wider ones', () => {
    const { view, written, screen } = liveView(4, 20);
    for (const name of ['one', 'two', 'three', 'four', 'a status that is far too wide for it']) {
      view.show({ status: name });
    }
    expect(screen()).toEqual(['three', 'four', 'a status that is f…']);
    expect(written()).not.toContain(`${escape}[4A`);
  });

  test('shows what a terminal would obey as plain text', () => {
    const { view, screen } = liveView();
    view.show({ status: `pulling${escape}[2J\n x` });
    expect(screen()).toEqual(['pulling  x']);
  });
});

describe('plain progress', () => {
  test('has a line for each state, and for each tenth of a layer', () => {
    let written = '';
    const view = createPlainProgress((text) => (written += text));
    view.show({ status: 'pulling manifest' });
    view.show({ status: 'pulling manifest' });
    for (const percent of [0, 4, 12, 19, 55, 55, 100]) {
      view.show({ status: 'pulling d', digest: 'd', total: mebibytes(100), completed: mebibytes(percent) });
    }
    view.end();
    expect(written.split('\n')).toEqual([
      'pulling manifest',
      'pulling d: 0 % of 100 MiB',
      'pulling d: 10 % of 100 MiB',
      'pulling d: 50 % of 100 MiB',
      'pulling d: 100 % of 100 MiB',
      '',
    ]);
  });
});
