/**
 * Browser code of the monitor: a drawer that follows the log of the router or of one model. It keeps a bounded number of
 * lines, and holds new ones back while its reader is scrolled up, so that nothing moves under their eyes.
 */

export const logs = String.raw`
const logLinesMax = 2000;
/** Characters; a program that never ends its line is cut there. */
const logLineMax = 4000;
/** Pixels above the end that still count as being there. */
const logEndSlack = 24;
const terminalCodes = /\x1b\[[0-9;?]*[A-Za-z]/g;
/** What is followed now: its path, how to end it, lines that wait, the start of a line, whether its end is looked at. */
let logFollowed;

/** Only models that the router runs itself have a log here. */
const logLink = (model) => make('button', { class: 'link', text: model, title: 'Log of ' + model, 'aria-label': 'Log of ' + model, onclick: () => openLog('logs/stream/' + encodeURIComponent(model), model) });

/** The drawer opens once there is an answer, so that a key is asked for before it. */
async function openLog(path, name) {
  const answer = await followLog(path);
  if (answer === undefined) return;
  setText(byId('log-title'), 'Log of ' + name);
  byId('log-filter').value = '';
  byId('log-dialog').showModal();
  byId('log-lines').focus();
  readLog(answer);
}

/** Undefined = there is none, and the reader was told why. */
async function followLog(path) {
  const stop = new AbortController();
  try {
    const response = await requestWithKey('GET', path, stop.signal);
    if (response === undefined) return undefined;
    if (!response.ok) throw new Error((await bodyOf(response)).error.message);
    return { path, stop, response, held: [], rest: '', atEnd: true };
  } catch (error) {
    toast(error.message, true);
    return undefined;
  }
}

async function readLog(followed) {
  if (logFollowed !== undefined) logFollowed.stop.abort();
  logFollowed = followed;
  byId('log-rows').replaceChildren();
  showLogState();
  try {
    const reader = followed.response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done && logFollowed === followed; part = await reader.read()) takeLog(followed, part.value);
  } catch {
    // Closed by the reader, or the router has gone: either is an end.
  }
  if (logFollowed !== followed) return;
  followed.ended = true;
  showLogState();
}

function takeLog(followed, text) {
  const parts = (followed.rest + text).split(/\r?\n/);
  const last = parts.pop();
  const isCut = last.length > logLineMax;
  followed.rest = isCut ? '' : last;
  for (const part of isCut ? [...parts, last] : parts) {
    const line = part.replace(terminalCodes, '');
    followed.held.push(line.length > logLineMax ? line.slice(0, logLineMax) + ' …' : line);
  }
  if (followed.held.length > logLinesMax) followed.held.splice(0, followed.held.length - logLinesMax);
  if (followed.frame === undefined) followed.frame = requestAnimationFrame(() => showTaken(followed));
}

/** At most once per frame, however much is written. */
function showTaken(followed) {
  followed.frame = undefined;
  if (logFollowed !== followed) return;
  if (followed.atEnd) releaseLog();
  else showLogState();
}

/** The box counts from its end (style: column-reverse), so that another size of the window never looks like scrolling up. */
function logScrolled() {
  if (logFollowed === undefined) return;
  logFollowed.atEnd = byId('log-lines').scrollTop > -logEndSlack;
  if (logFollowed.atEnd && logFollowed.held.length > 0) releaseLog();
}

/** Shows what was held back, and the end of it. */
function releaseLog() {
  const rows = byId('log-rows');
  const wanted = byId('log-filter').value.trim().toLowerCase();
  const lines = logFollowed.held.splice(0).map((text) => make('div', { text }));
  for (const line of lines) line.hidden = !hasWords(line, wanted);
  rows.append(...lines);
  for (let over = rows.childElementCount - logLinesMax; over > 0; over -= 1) rows.firstElementChild.remove();
  byId('log-lines').scrollTop = 0;
  showLogState();
}

const hasWords = (line, wanted) => wanted === '' || line.textContent.toLowerCase().includes(wanted);

function filterLog() {
  const wanted = byId('log-filter').value.trim().toLowerCase();
  for (const line of byId('log-rows').children) line.hidden = !hasWords(line, wanted);
  releaseLog();
}

function showLogState() {
  const { held, ended } = logFollowed;
  const rows = byId('log-rows');
  const shown = rows.querySelectorAll('div:not([hidden])').length;
  const all = rows.childElementCount;
  const isFiltered = byId('log-filter').value.trim() !== '';
  setText(byId('log-count'), isFiltered ? shown + ' of ' + plural(all, 'line', 'lines') : all === 0 ? 'Nothing written yet' : plural(all, 'line', 'lines') + (all === logLinesMax ? ', older ones are gone' : ''));
  const state = byId('log-state');
  setText(state, ended ? 'Ended' : held.length > 0 ? 'Paused' : 'Live');
  state.className = 'pill ' + (ended ? 'bad' : held.length > 0 ? 'warn' : 'ok pulse');
  byId('log-newer').hidden = held.length === 0;
  setText(byId('log-newer'), plural(held.length, 'new line', 'new lines') + ' ↓');
  byId('log-again').hidden = !ended;
}

byId('log-filter').addEventListener('input', filterLog);
byId('log-newer').addEventListener('click', () => { releaseLog(); byId('log-lines').focus(); });
byId('log-lines').addEventListener('scroll', logScrolled);
byId('log-again').addEventListener('click', async () => {
  const answer = await followLog(logFollowed.path);
  if (answer === undefined) return;
  if (byId('log-dialog').open) readLog(answer);
  else answer.stop.abort();
});
byId('log-dialog').addEventListener('close', () => {
  logFollowed.stop.abort();
  logFollowed = undefined;
  byId('log-rows').replaceChildren();
});
byId('router-log').addEventListener('click', () => openLog('logs/stream/proxy', 'the router'));
`;
