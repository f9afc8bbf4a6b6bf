/**
 * Browser code of the monitor: tokens of the last days, all together and by model, backend or key, as bars and as a table.
 * Days are those of UTC. Only for readers who may know the keys.
 */

export const days = String.raw`
const dayMs = 86400000;
const daysShown = 14;
/** Beside that of all: the biggest, and the others together. */
const dayChartsMax = 5;
const daysEveryMs = 30000;
let dayCharts = [];
let daysAt = -Infinity;

const dayOf = (epochMs) => new Date(epochMs).toISOString().slice(0, 10);
const dayWords = (day) => new Date(day).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const newTokens = (d) => d.input_tokens - d.cached_tokens;
const allTokens = (d) => d.input_tokens + d.output_tokens;

function showDays(data) {
  if (!data.names_hidden) readDays();
  else if (dayCharts.length > 0) {
    dayCharts = [];
    daysAt = -Infinity;
    drawDays();
  }
}

/** Not at every poll, and never in its way: what was read last is shown until more is known. */
async function readDays() {
  if (performance.now() - daysAt < daysEveryMs) return;
  daysAt = performance.now();
  const by = byId('day-by').value;
  const today = Date.parse(data.now.slice(0, 10));
  try {
    const answer = await call('GET', 'api/usage/series?step=day&by=' + by + '&from=' + dayOf(today - (daysShown - 1) * dayMs) + 'T00:00:00Z');
    if (answer === undefined || by !== byId('day-by').value) return;
    dayCharts = chartsOf(answer.series, today);
    setText(byId('day-count'), '');
    drawDays();
  } catch (error) {
    setText(byId('day-count'), error.message);
  }
}

/** The chart of all first, then the biggest. Empty = nothing was used. */
function chartsOf(series, today) {
  const named = series.map(({ name, points }) => chartOf(name === '' ? '–' : name, points, today)).filter(({ total }) => total > 0).sort((left, right) => right.total - left.total);
  if (named.length === 0) return [];
  const together = (name, charts) => chartOf(name, charts.flatMap((chart) => chart.days), today);
  const shown = named.length > dayChartsMax ? [...named.slice(0, dayChartsMax - 1), { ...together(named.length - dayChartsMax + 1 + ' others', named.slice(dayChartsMax - 1)), key: 'others' }] : named;
  return [{ ...together('All', named), key: 'all' }, ...shown];
}

function chartOf(name, points, today) {
  const days = Array.from({ length: daysShown }, (_, index) => ({ at: dayOf(today - (daysShown - 1 - index) * dayMs), input_tokens: 0, cached_tokens: 0, output_tokens: 0, requests: 0 }));
  const byDay = new Map(days.map((day) => [day.at, day]));
  for (const point of points) {
    const day = byDay.get(point.at.slice(0, 10));
    if (day === undefined) continue;
    for (const count of ['input_tokens', 'cached_tokens', 'output_tokens', 'requests']) day[count] += point[count];
  }
  return { key: 'name ' + name, name, days, total: days.reduce((sum, day) => sum + allTokens(day), 0) };
}

function drawDays() {
  const none = dayCharts.length === 0;
  byId('day-blank').hidden = !none;
  byId('day-charts').hidden = none;
  byId('day-table').hidden = none;
  syncRows(byId('day-charts'), dayCharts, ({ key }) => key, buildDayChart);
  const rows = dayCharts.flatMap((chart) => chart.days.filter((day) => day.requests > 0).map((day) => ({ chart, day })).reverse());
  syncRows(byId('day-rows'), rows, ({ chart, day }) => chart.key + day.at, () => rowOf(dayColumns));
}

const dayColumns = [
  { style: 'name', text: ({ chart }) => chart.name, title: ({ chart }) => chart.name },
  { text: ({ day }) => day.at },
  { style: 'number', text: ({ day }) => amount(day.input_tokens) },
  { style: 'number', text: ({ day }) => amount(day.cached_tokens) },
  { style: 'number', text: ({ day }) => amount(day.output_tokens) },
  { style: 'number', text: ({ day }) => amount(day.requests) },
];

const daySentence = (day) => dayWords(day.at) + ': ' + amount(newTokens(day)) + ' new, ' + amount(day.cached_tokens) + ' cached, ' + amount(day.output_tokens) + ' out';

/** The numbers of the day under the pointer, or of the one that the arrow keys have come to. */
function buildDayChart() {
  let chart;
  let pointed;
  const name = make('b');
  const total = make('span', { class: 'dim' });
  const svg = svgNode('svg', { viewBox: '0 0 ' + daysShown * 10 + ' 60', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const below = make('div', { class: 'dim' });
  const point = (index) => { pointed = index; draw(); };
  const draw = () => {
    setText(below, pointed === undefined ? dayWords(chart.days[0].at) + ' – ' + dayWords(chart.days.at(-1).at) : daySentence(chart.days[pointed]));
    fillOnce(svg, pointed + JSON.stringify(chart.days), () => barsOf(chart.days, pointed));
  };
  const element = make('div', { class: 'day-chart', tabindex: '0', role: 'group',
    onpointermove(event) {
      const box = svg.getBoundingClientRect();
      point(Math.min(daysShown - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * daysShown))));
    },
    onpointerleave: () => point(undefined),
    onblur: () => point(undefined),
    onfocus: () => { if (pointed === undefined) point(daysShown - 1); },
    onkeydown(event) {
      const to = { ArrowLeft: pointed - 1, ArrowRight: pointed + 1, Home: 0, End: daysShown - 1 }[event.key];
      if (to === undefined || Number.isNaN(to)) return;
      event.preventDefault();
      point(Math.min(daysShown - 1, Math.max(0, to)));
      announce(daySentence(chart.days[pointed]));
    },
  }, [make('div', { class: 'day-head' }, [name, total]), svg, below]);
  return {
    element,
    update(item) {
      chart = item;
      setText(name, chart.name);
      setTitle(name, chart.name);
      setText(total, amount(chart.total) + ' tokens');
      element.setAttribute('aria-label', chart.name + ': ' + amount(chart.total) + ' tokens in ' + daysShown + ' days. Arrow keys tell each day.');
      draw();
    },
  };
}

function barsOf(days, pointed) {
  const scale = 58 / Math.max(1, ...days.map(allTokens));
  return days.flatMap((day, index) => {
    const parts = [['in', newTokens(day)], ['cached', day.cached_tokens], ['out', day.output_tokens]].filter(([, count]) => count > 0);
    let y = 60;
    const bars = parts.map(([kind, count]) => {
      y -= count * scale;
      return svgNode('rect', { class: 'bar-' + kind, x: index * 10 + 1.5, y, width: 7, height: count * scale });
    });
    return index === pointed ? [svgNode('rect', { class: 'pointed', x: index * 10, y: 0, width: 10, height: 60 }), ...bars] : bars;
  });
}

function readDaysNow() {
  daysAt = -Infinity;
  if (data !== undefined) readDays();
}
byId('day-by').addEventListener('change', readDaysNow);
`;
