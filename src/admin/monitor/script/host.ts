/**
 * Browser code of the monitor: CPU, memory and GPUs of the router's machine over the last minutes. Hidden where nobody
 * looks at the machine, and from readers without the key.
 */

export const host = String.raw`
const hostMs = 600000;
const hostEveryMs = 5000;
/** Where it was refused or is switched off. */
const hostRetryMs = 60000;
let hostNextAt = 0;

function showHost(data) {
  if (data.names_hidden) byId('host').hidden = true;
  else readHost();
}

/** Not at every poll, and never in its way. */
async function readHost() {
  if (performance.now() < hostNextAt) return;
  hostNextAt = performance.now() + hostEveryMs;
  try {
    const answer = await call('GET', 'api/performance?after=' + new Date(Date.parse(data.now) - hostMs).toISOString());
    if (answer !== undefined) drawHost(answer);
  } catch {
    hostNextAt = performance.now() + hostRetryMs;
    byId('host').hidden = true;
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const gibibytesOf = (used, total) => (used / 1024).toFixed(1) + ' of ' + (total / 1024).toFixed(1) + ' GiB';

function drawHost({ sys_stats, gpu_stats }) {
  const looks = sys_stats.filter(({ cpu_util_per_core }) => cpu_util_per_core.length > 0);
  byId('host').hidden = looks.length === 0;
  if (looks.length === 0) return;
  const last = looks.at(-1);
  const load = last.load_avg_1 === null ? '' : ' · load ' + last.load_avg_1.toFixed(1);
  drawPercent('cpu', looks.map((look) => ({ at: look.timestamp, value: mean(look.cpu_util_per_core) })), plural(last.cpu_util_per_core.length, 'core', 'cores') + load);
  drawPercent('memory', looks.map((look) => ({ at: look.timestamp, value: (100 * look.mem_used_mb) / look.mem_total_mb })), gibibytesOf(last.mem_used_mb, last.mem_total_mb));
  // One with less than an eighth of the memory of the largest drives a display, and would halve the mean.
  const largest = gpu_stats.reduce((most, gpu) => Math.max(most, gpu.mem_total_mb), 0);
  drawGpus(gpu_stats.filter((gpu) => gpu.gpu_util_pct !== null && gpu.mem_total_mb >= largest / 8));
}

/** As if they were one. */
function drawGpus(stats) {
  byId('figure-gpu').hidden = stats.length === 0;
  if (stats.length === 0) return;
  const looks = [...Map.groupBy(stats, ({ timestamp }) => timestamp)];
  const newest = looks.at(-1)[1];
  const knowMemory = newest.filter((gpu) => gpu.mem_used_mb !== null && gpu.mem_total_mb !== null);
  const sumOf = (name) => knowMemory.reduce((sum, gpu) => sum + gpu[name], 0);
  const memory = knowMemory.length === 0 ? '' : ' · ' + gibibytesOf(sumOf('mem_used_mb'), sumOf('mem_total_mb'));
  drawPercent('gpu', looks.map(([at, gpus]) => ({ at, value: mean(gpus.map((gpu) => gpu.gpu_util_pct)) })), plural(newest.length, 'GPU', 'GPUs') + memory);
}

function drawPercent(id, points, sub) {
  const values = points.map(({ value }) => value);
  showFigure(id, String(Math.round(values.at(-1))), '%');
  drawSpark(id, values, points.map(({ at }) => Date.parse(at) / 1000), { say: (value) => Math.round(value) + ' %', sub, top: 100 });
}
`;
