/** Browser code of the monitor: the key figures and their small charts. */

export const figures = String.raw`
const svgNode = (tag, attributes) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

/** One chart: its values, how to say one of them, and the top of its scale. */
const sparks = new Map();

function drawSpark(id, values, times, options) {
  const chart = byId(id + '-spark');
  let spark = sparks.get(id);
  if (spark === undefined) {
    spark = { area: svgNode('path', { class: 'area' }), stroke: svgNode('path', { class: 'stroke' }), cursor: svgNode('path', { class: 'cursor' }) };
    chart.append(spark.area, spark.cursor, spark.stroke);
    sparks.set(id, spark);
    const figure = byId('figure-' + id);
    figure.addEventListener('pointermove', (event) => pointAt(id, event));
    figure.addEventListener('pointerleave', () => { spark.pointed = undefined; spark.cursor.setAttribute('d', ''); setText(byId(id + '-sub'), spark.sub); });
  }
  Object.assign(spark, { values, times, say: options.say, sub: options.sub });
  const top = Math.max(options.top || 0, ...values) || 1;
  const x = (index) => values.length < 2 ? 100 : (index / (values.length - 1)) * 100;
  const y = (value) => 44 - (value / top) * 40;
  const line = values.map((value, index) => (index === 0 ? 'M' : 'L') + x(index).toFixed(2) + ' ' + y(value).toFixed(2)).join('');
  spark.stroke.setAttribute('d', line);
  spark.area.setAttribute('d', line === '' ? '' : line + 'L100 46L' + x(0).toFixed(2) + ' 46Z');
  if (spark.pointed === undefined) setText(byId(id + '-sub'), options.sub);
}

function pointAt(id, event) {
  const spark = sparks.get(id);
  if (spark.values.length < 2) return;
  const box = byId(id + '-spark').getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  const index = Math.round(share * (spark.values.length - 1));
  spark.pointed = index;
  const x = (index / (spark.values.length - 1)) * 100;
  spark.cursor.setAttribute('d', 'M' + x + ' 0V46');
  const when = new Date(spark.times[index] * 1000).toLocaleTimeString();
  setText(byId(id + '-sub'), spark.say(spark.values[index]) + ' at ' + when);
}

function showFigure(id, value, unit) {
  setText(byId(id + '-value'), value);
  setText(byId(id + '-unit'), unit);
}

function answeredShare(byOutcome) {
  const own = ['failed_before_first_byte', 'failed_midstream', 'internal', 'rejected_full', 'evicted_timeout'];
  const good = byOutcome.completed || 0;
  const bad = own.reduce((sum, outcome) => sum + (byOutcome[outcome] || 0), 0);
  return good + bad === 0 ? undefined : (good / (good + bad)) * 100;
}

function showFigures(data) {
  const history = data.history;
  showFigure('tokens', rate(data.traffic.output_tokens_per_second), 'tok/s');
  drawSpark('tokens', history.tokens_per_second, history.at_epoch_s, {
    say: (value) => rate(value) + ' tok/s',
    sub: amount(data.traffic.output_tokens) + ' out · ' + amount(data.traffic.input_tokens) + ' in' + (data.traffic.input_tokens === 0 ? '' : ' · ' + cachedShare(data.traffic) + ' cached'),
  });
  const share = answeredShare(data.by_outcome);
  showFigure('requests', rate(data.traffic.requests_per_minute), '/ min');
  drawSpark('requests', history.requests_per_minute, history.at_epoch_s, {
    say: (value) => rate(value) + ' / min',
    sub: plural(data.total_requests, 'request', 'requests') + (share === undefined ? '' : ' · ' + (share === 100 ? '100' : share.toFixed(1)) + '% served'),
  });
  showFigure('waiting', amount(data.queue_depth), data.queue_depth === 1 ? 'request' : 'requests');
  byId('figure-waiting').classList.toggle('waits', data.queue_depth > 0);
  drawSpark('waiting', history.queued, history.at_epoch_s, {
    say: (value) => amount(value) + ' waiting',
    sub: data.queue_depth === 0 ? 'Nobody waits' : 'Longest wait ' + duration(data.longest_wait_seconds),
    top: 4,
  });
  const { slots } = data;
  const used = slots.own + slots.lingering + slots.foreign;
  showFigure('slots', amount(used), 'of ' + amount(slots.total));
  drawSpark('slots', history.slots_used, history.at_epoch_s, {
    say: (value) => amount(value) + ' in use',
    sub: slots.own + ' own · ' + slots.lingering + ' client left · ' + slots.foreign + ' used by others',
    top: Math.max(0, ...history.slots_total),
  });
}
`;
