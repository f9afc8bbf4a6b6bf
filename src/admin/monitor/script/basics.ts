/** Browser code of the monitor: how numbers are written and how elements are made. Data becomes text, never markup. */

export const basics = String.raw`
const byId = (id) => document.getElementById(id);

function duration(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return whole + 's';
  if (whole < 3600) return Math.floor(whole / 60) + 'm ' + String(whole % 60).padStart(2, '0') + 's';
  if (whole < 86400) return Math.floor(whole / 3600) + 'h ' + Math.floor((whole % 3600) / 60) + 'm';
  return Math.floor(whole / 86400) + 'd ' + Math.floor((whole % 86400) / 3600) + 'h';
}

function milliseconds(ms) {
  if (ms === null) return '–';
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 60000) return (ms / 1000).toFixed(1) + ' s';
  return duration(ms / 1000);
}

function amount(number) {
  if (number === null) return '–';
  if (number >= 1e9) return (number / 1e9).toFixed(1) + 'G';
  if (number >= 1e6) return (number / 1e6).toFixed(1) + 'M';
  if (number >= 1000) return (number / 1000).toFixed(1) + 'k';
  return String(Math.round(number));
}

function rate(number) {
  return number >= 1000 ? amount(number) : number >= 10 ? String(Math.round(number)) : number.toFixed(1);
}

const cachedShare = (traffic) => (traffic.input_tokens === 0 ? '–' : Math.round((traffic.cached_tokens / traffic.input_tokens) * 100) + '%');
const plural = (count, one, many) => amount(count) + ' ' + (count === 1 ? one : many);
const shortId = (id) => id.slice(0, 12);

/** attributes: class, text, title and event handlers as on...; the rest is set as it is. */
function make(tag, attributes, children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null) continue;
    if (name === 'text') element.textContent = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  for (const child of children || []) element.append(child);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setTitle(element, title) {
  if (element.title !== title) element.title = title;
}

/** Rows keep their elements from poll to poll, so that focus, hover and selection survive. */
function syncRows(body, items, keyOf, build) {
  const rows = body.rowsByKey || (body.rowsByKey = new Map());
  const wanted = new Set();
  let place = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    wanted.add(key);
    let row = rows.get(key);
    if (row === undefined) rows.set(key, (row = build(item)));
    row.update(item);
    if (row.element === place) place = place.nextElementSibling;
    else body.insertBefore(row.element, place);
  }
  for (const [key, row] of rows) {
    if (wanted.has(key)) continue;
    row.element.remove();
    rows.delete(key);
  }
}

/** A row of cells: each column has a class and fills its cell from the item. */
function rowOf(columns, classOf) {
  const cells = columns.map(() => make('td'));
  const element = make('tr', {}, cells);
  return {
    element,
    update(item) {
      const name = classOf ? classOf(item) : '';
      if (element.className !== name) element.className = name;
      columns.forEach((column, index) => {
        const cell = cells[index];
        if (column.style && cell.className !== column.style) cell.className = column.style;
        if (column.label) cell.dataset.label = column.label;
        if (column.text) setText(cell, column.text(item));
        if (column.title) setTitle(cell, column.title(item));
        if (column.fill) column.fill(cell, item);
      });
    },
  };
}

/** Rebuilds a cell only when what it shows has changed. */
function fillOnce(cell, signature, children) {
  if (cell.dataset.shown === signature) return;
  cell.dataset.shown = signature;
  cell.replaceChildren(...children());
}

function announce(text) {
  byId('announcer').textContent = text;
}

function toast(text, bad) {
  const element = make('div', { class: bad ? 'toast bad' : 'toast', text });
  byId('toasts').append(element);
  setTimeout(() => element.remove(), 4000);
}
`;
