/** How the monitor page looks: tokens for both themes, then layout, then parts. Plain CSS, nothing from elsewhere. */

export const style = String.raw`
:root {
  color-scheme: light dark;
  --bg: light-dark(#f6f7f9, #0b0d11);
  --surface: light-dark(#ffffff, #11141a);
  --raised: light-dark(#f3f4f7, #181c24);
  --line: light-dark(#e4e7ec, #20252e);
  --line-strong: light-dark(#cfd4dc, #323945);
  --text: light-dark(#171a21, #e4e7ec);
  --muted: light-dark(#5a6372, #949dac);
  --faint: light-dark(#687181, #78818f);
  --accent: light-dark(#3d5bd9, #7f9cf5);
  --accent-soft: light-dark(#e8ecfd, #1b2340);
  --ok: light-dark(#1a7f4b, #46b67c);
  --warn: light-dark(#96610a, #d9a441);
  --bad: light-dark(#c2352b, #f07167);
  --ok-soft: light-dark(#e2f4ea, #10281d);
  --warn-soft: light-dark(#fbf0d9, #2b2312);
  --bad-soft: light-dark(#fce8e6, #331917);
  --foreign: light-dark(#98a2b3, #5b6676);
  --mono: ui-monospace, 'SF Mono', 'JetBrains Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  --sans: system-ui, -apple-system, 'Segoe UI', 'Inter', 'Noto Sans', 'Liberation Sans', sans-serif;
}
:root[data-theme='dark'] { color-scheme: dark; }
:root[data-theme='light'] { color-scheme: light; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { background: var(--bg); }
body {
  margin: 0; color: var(--text); background: var(--bg);
  font: 13px/1.45 var(--sans); font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
}
h1, h2, h3, p { margin: 0; }
button, input, select { font: inherit; color: inherit; }
code, .mono { font-family: var(--mono); font-size: 12px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: fixed; top: -60px; left: 12px; z-index: 9; padding: 8px 14px; border-radius: 8px; background: var(--accent); color: var(--surface); }
.skip:focus { top: 12px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }

.bar {
  position: sticky; top: 0; z-index: 5; display: flex; align-items: center; gap: 14px;
  height: 52px; padding: 0 20px; background: var(--bg); border-bottom: 1px solid var(--line);
}
.brand { display: flex; align-items: center; gap: 9px; font-size: 15px; font-weight: 650; letter-spacing: -.01em; }
.brand svg { width: 20px; height: 20px; color: var(--accent); }
.facts { color: var(--muted); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tools { display: flex; align-items: center; gap: 6px; margin-left: auto; }
.button {
  display: inline-flex; align-items: center; justify-content: center; gap: 6px; min-height: 28px; padding: 0 10px;
  border: 1px solid var(--line); border-radius: 7px; background: var(--surface); cursor: pointer; white-space: nowrap;
}
.button:hover { border-color: var(--line-strong); background: var(--raised); }
.button.small { min-height: 22px; padding: 0 8px; font-size: 12px; border-radius: 6px; }
.button.primary { background: var(--accent); border-color: var(--accent); color: light-dark(#fff, #0b0d11); font-weight: 600; }
.button.danger { color: var(--bad); }
.button.armed { background: var(--bad); border-color: var(--bad); color: light-dark(#fff, #16090a); }
.icon { width: 28px; padding: 0; }
.icon svg { width: 15px; height: 15px; }
kbd {
  padding: 0 5px; border: 1px solid var(--line-strong); border-bottom-width: 2px; border-radius: 5px;
  background: var(--raised); font: 11px/17px var(--mono);
}
.field, select.field {
  height: 28px; padding: 0 9px; border: 1px solid var(--line); border-radius: 7px; background: var(--surface); min-width: 0;
}
.field::placeholder { color: var(--faint); }
#filter { width: 190px; }

.pill { display: inline-flex; align-items: center; gap: 6px; padding: 1px 9px; border-radius: 99px; font-size: 12px; font-weight: 550; white-space: nowrap; background: var(--raised); color: var(--muted); }
.pill::before { content: ''; width: 7px; height: 7px; border-radius: 50%; background: currentColor; }
.pill.plain::before { display: none; }
.pill.ok { background: var(--ok-soft); color: var(--ok); }
.pill.warn { background: var(--warn-soft); color: var(--warn); }
.pill.bad { background: var(--bad-soft); color: var(--bad); }
.pill.accent { background: var(--accent-soft); color: var(--accent); }
.pulse::before { animation: pulse 2.4s ease-in-out infinite; }
@keyframes pulse { 50% { opacity: .35; } }

.notices { display: grid; gap: 8px; padding: 12px 20px 0; max-width: 1720px; margin: 0 auto; }
.notices:not(:has(> :not([hidden]))) { display: none; }
.notice { display: flex; align-items: center; gap: 12px; padding: 8px 14px; border-radius: 9px; border: 1px solid transparent; }
.notice.info { background: var(--accent-soft); color: var(--accent); }
.notice.warn { background: var(--warn-soft); color: var(--warn); }
.notice.bad { background: var(--bad-soft); color: var(--bad); }
.notice b { font-weight: 650; }
.notice span { color: var(--text); min-width: 0; overflow-wrap: anywhere; }
.notice .button { margin-left: auto; }
.locked main :is(.panel, .column), .locked #filter { display: none; }

main { display: grid; gap: 14px; max-width: 1720px; margin: 0 auto; padding: 14px 20px 40px; grid-template-columns: repeat(12, minmax(0, 1fr)); transition: opacity .25s; }
body.stale main { opacity: .5; }
.wide { grid-column: 1 / -1; }
.column { display: grid; gap: 14px; align-content: start; min-width: 0; }
.left { grid-column: span 5; }
.right { grid-column: span 7; }

.figures { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 14px; }
.figure { position: relative; padding: 12px 16px 0; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); overflow: hidden; }
.figure h2 { font-size: 12px; font-weight: 500; color: var(--muted); }
.figure .value { display: flex; align-items: baseline; gap: 6px; font-size: 27px; font-weight: 620; line-height: 36px; letter-spacing: -.02em; }
.figure .value small { font-size: 13px; font-weight: 450; color: var(--muted); letter-spacing: 0; }
.figure .sub { min-height: 19px; font-size: 12px; color: var(--muted); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.spark { display: block; width: calc(100% + 32px); height: 46px; margin: 6px -16px 0; overflow: visible; }
.spark .area { fill: var(--accent); opacity: .13; }
.spark .stroke { fill: none; stroke: var(--accent); stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.spark .cursor { stroke: var(--line-strong); stroke-width: 1; vector-effect: non-scaling-stroke; }
.figure.waits .area { fill: var(--warn); } .figure.waits .stroke { stroke: var(--warn); }
.used { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.5fr) minmax(0, 1.5fr); gap: 14px; }
.used .figure { display: flex; flex-direction: column; } .used .spark { flex: 1; min-height: 46px; margin-top: auto; }
.used .scroll.tall { max-height: 210px; } .used .blank { padding: 22px 20px; }

.figures.host { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
.day-charts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 14px 26px; padding: 14px 16px; }
.day-chart { min-width: 0; }
.day-head { display: flex; justify-content: space-between; gap: 12px; white-space: nowrap; }
.day-head b { font-weight: 550; overflow: hidden; text-overflow: ellipsis; }
.day-chart svg { display: block; width: 100%; height: 84px; margin: 6px 0 4px; border-bottom: 1px solid var(--line-strong); }
.day-chart .dim { font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.day-head .dim { flex: none; }
.day-chart .pointed { fill: var(--line); }
.bar-in { fill: light-dark(#98a2b3, #8a94a6); background: light-dark(#98a2b3, #8a94a6); border-color: transparent; }
.bar-cached { fill: color-mix(in srgb, var(--accent) 45%, var(--surface)); background: color-mix(in srgb, var(--accent) 45%, var(--surface)); border-color: transparent; }
.bar-out { fill: var(--accent); background: var(--accent); border-color: var(--accent); }
#day-table { border-top: 1px solid var(--line); }
#day-table summary { padding: 8px 16px; color: var(--muted); cursor: pointer; }

.panel { border: 1px solid var(--line); border-radius: 12px; background: var(--surface); min-width: 0; overflow: clip; }
.panel > header { display: flex; align-items: center; gap: 10px; min-height: 44px; padding: 0 16px; border-bottom: 1px solid var(--line); }
.panel h2 { font-size: 13px; font-weight: 620; }
.panel header .count, .panel header .dim { flex: none; color: var(--muted); white-space: nowrap; }
.panel header .side { margin-left: auto; display: flex; align-items: center; gap: 14px; min-width: 0; }
.scroll { overflow-x: auto; }
.scroll.tall { max-height: 430px; overflow-y: auto; }

.strip { display: flex; height: 5px; }
.strip span { flex: 1; background: var(--foreign); box-shadow: inset 1px 0 var(--surface); }
.strip .live { background: var(--ok); } .strip .degraded, .strip .draining { background: var(--warn); }
.strip .dead { background: var(--bad); }
.legend { display: flex; gap: 12px; color: var(--muted); font-size: 12px; white-space: nowrap; }
.legend i { display: inline-block; width: 9px; height: 12px; margin-right: 5px; vertical-align: -2px; }

table { width: 100%; border-collapse: collapse; font-size: 12.5px; }
th { padding: 7px; text-align: left; font-size: 11.5px; font-weight: 500; color: var(--muted); white-space: nowrap; }
.scroll th { position: sticky; top: 0; z-index: 1; background: var(--surface); }
td { padding: 6px 7px; border-top: 1px solid var(--line); white-space: nowrap; vertical-align: middle; }
th:first-child, td:first-child { padding-left: 16px; }
th:last-child, td:last-child { padding-right: 16px; }
.number { text-align: right; }
.name { max-width: 0; width: 99%; min-width: 130px; overflow: hidden; text-overflow: ellipsis; }
.dim { color: var(--muted); }
tbody tr:hover { background: var(--raised); }
tr.opens { cursor: pointer; }
.link { padding: 0; border: 0; background: none; font: 12px var(--mono); color: var(--text); cursor: pointer; }
.link:hover { color: var(--accent); text-decoration: underline; text-underline-offset: 3px; }

.backends td { padding-top: 9px; padding-bottom: 9px; vertical-align: top; }
.backends .state { min-width: 190px; } .backends .slots { min-width: 150px; } .backends .models { width: 30%; }
.scroll.backends { max-height: max(60vh, 480px); overflow-y: auto; }
.backends .who { min-width: 210px; }
.no-gpu .gpu { display: none; }
.backends b { font-weight: 600; font-size: 13.5px; }
.backends .why { margin-top: 3px; max-width: 300px; white-space: normal; overflow-wrap: anywhere; font-size: 12px; }
.why.bad { color: var(--bad); } .why.warn { color: var(--warn); } .why.dim { color: var(--muted); }
.cells { display: flex; flex-wrap: wrap; gap: 3px; max-width: 330px; padding-top: 2px; }
.cell { width: 11px; height: 17px; border-radius: 3px; border: 1px solid var(--line-strong); }
.own { background: var(--accent); border-color: var(--accent); }
.lingering { border-color: var(--accent); background: repeating-linear-gradient(135deg, var(--accent) 0 2px, transparent 2px 5px); }
.foreign { background: var(--foreign); border-color: var(--foreign); }
.dead-row .cells { opacity: .4; }
.meter { display: flex; width: 260px; height: 17px; border: 1px solid var(--line-strong); border-radius: 4px; overflow: hidden; }
.meter span { border: 0; border-radius: 0; height: 100%; }
.chips { display: flex; flex-wrap: wrap; gap: 4px; }
.chip { display: inline-block; max-width: 250px; padding: 0 7px; border-radius: 5px; background: var(--raised); font: 11.5px/20px var(--mono); overflow: hidden; text-overflow: ellipsis; }
.chip.sticky { box-shadow: inset 0 0 0 1px var(--accent); color: var(--accent); }
.actions { display: flex; gap: 5px; justify-content: flex-end; }
.ghost { border-color: transparent; background: none; color: var(--muted); }
tr:hover .ghost { border-color: var(--line-strong); color: var(--text); }

.ribbon { display: flex; justify-content: flex-end; gap: 2px; height: 18px; min-width: 0; overflow: hidden; }
.ribbon span { flex: none; width: 4px; height: 100%; border-radius: 1.5px; background: var(--foreign); }
.ribbon .ok { background: var(--ok); } .ribbon .warn { background: var(--warn); } .ribbon .bad { background: var(--bad); }

.blank { display: grid; justify-items: center; gap: 4px; padding: 34px 20px; color: var(--muted); text-align: center; }
.blank b { color: var(--text); font-weight: 600; }
.blank svg { width: 26px; height: 26px; margin-bottom: 4px; color: var(--line-strong); }
.blank.big { padding: 56px 20px 60px; gap: 8px; }
.blank.big b { font-size: 17px; }
.blank pre { margin: 12px 0 4px; padding: 14px 20px; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); color: var(--text); font: 12.5px/1.65 var(--mono); text-align: left; }
pre .key { color: var(--accent); } pre .note { color: var(--muted); }

dialog { width: min(460px, calc(100vw - 32px)); padding: 22px 24px; border: 1px solid var(--line-strong); border-radius: 14px; background: var(--surface); color: var(--text); box-shadow: 0 24px 70px rgb(0 0 0 / .4); }
dialog::backdrop { background: rgb(5 7 10 / .5); }
dialog h2 { font-size: 16px; margin-bottom: 6px; }
dialog p { color: var(--muted); }
dialog .row { display: flex; gap: 8px; justify-content: flex-end; margin-top: 16px; }
dialog .field { width: 100%; height: 34px; margin-top: 12px; }
dialog dl { display: grid; grid-template-columns: auto 1fr; gap: 7px 18px; margin: 14px 0 0; }
dialog dt { color: var(--muted); } dialog dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.drawer { width: min(560px, 100vw); height: 100dvh; max-width: none; max-height: none; margin: 0 0 0 auto; border-radius: 0; border-width: 0 0 0 1px; overflow-y: auto; }
.drawer h2 { padding-right: 64px; overflow-wrap: anywhere; }
.drawer h3 { margin: 22px 0 8px; font-size: 13px; }
.drawer .close { position: absolute; top: 16px; right: 18px; }
#log-dialog { width: min(960px, 100vw); overflow: hidden; }
#log-dialog[open] { display: flex; flex-direction: column; }
.log-bar { display: flex; align-items: center; gap: 10px; min-height: 24px; }
#log-filter { flex: none; }
.log-box { position: relative; flex: 1; min-height: 0; margin-top: 12px; }
.log-lines { display: flex; flex-direction: column-reverse; height: 100%; padding: 10px 12px; overflow: auto; overflow-anchor: none; border: 1px solid var(--line); border-radius: 8px; background: var(--bg); font: 12px/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.log-rows { margin-bottom: auto; }
.log-rows div { min-height: 1.5em; }
#log-newer { position: absolute; right: 18px; bottom: 12px; }
#model-panel .name { min-width: 110px; }
.name .link { max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; line-height: 20px; text-decoration: underline dotted var(--faint); text-underline-offset: 3px; }
#plan-body ul { margin: 8px 0 0; padding-left: 18px; }
.timeline { display: flex; gap: 2px; height: 10px; margin-top: 12px; }
.timeline span { min-width: 2px; border-radius: 3px; background: var(--foreign); }
.timeline .t-queued { background: var(--warn); } .timeline .t-first { background: var(--accent); opacity: .55; } .timeline .t-answer { background: var(--accent); }
.scores { margin-top: 3px; font-size: 12px; color: var(--muted); white-space: normal; }
tr.winner td { background: var(--accent-soft); }
.toasts { position: fixed; right: 18px; bottom: 18px; z-index: 8; display: grid; gap: 8px; justify-items: end; }
.toast { padding: 9px 14px; border: 1px solid var(--line-strong); border-radius: 9px; background: var(--raised); box-shadow: 0 8px 30px rgb(0 0 0 / .25); }
.toast.bad { color: var(--bad); }

@media (max-width: 1400px) {
  .left, .right { grid-column: 1 / -1; }
  .left { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (max-width: 1240px) {
  .backends .who { min-width: 150px; } .backends .state { min-width: 130px; }
  .meter { width: 130px; } .cells { max-width: 150px; } .chip { max-width: 190px; }
}
@media (min-width: 621px) and (max-width: 1240px) {
  #backends:not(.no-gpu) .slots { min-width: 127px; } #backends:not(.no-gpu) .meter { width: 110px; }
  #backends:not(.no-gpu) .chip { max-width: 120px; }
}
@media (max-width: 900px) {
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .left, .used { grid-template-columns: minmax(0, 1fr); }
  .day-charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .used .spark { flex: none; }
  .bar { flex-wrap: wrap; height: auto; padding: 10px 14px; gap: 8px 10px; }
  .tools { margin-left: 0; width: 100%; }
  #filter { flex: 1; }
  main { padding: 12px 12px 32px; gap: 12px; }
  .notices { padding: 12px 12px 0; }
  .notice { flex-wrap: wrap; gap: 4px 12px; } .notice span { flex: 1 1 260px; }
  .name { max-width: 180px; width: auto; }
}
@media (max-width: 620px) {
  .figure .value { font-size: 22px; }
  .day-charts { grid-template-columns: minmax(0, 1fr); }
  .backends thead { display: none; }
  .backends tr { display: grid; grid-template-columns: 1fr auto; border-top: 1px solid var(--line); padding: 8px 16px; gap: 4px 12px; }
  .backends td { padding: 0 !important; border: 0; }
  .backends .slots, .backends .models { grid-column: 1 / -1; }
  .backends .who { min-width: 0; overflow-wrap: anywhere; white-space: normal; }
  .backends .state { min-width: 0; max-width: 48vw; text-align: right; }
  .backends .models { width: auto; }
  .scroll.backends { max-height: none; }
  .backends td[data-label]::before { content: attr(data-label) ' '; color: var(--muted); }
  .backends .number { text-align: left; }
  .panel header { flex-wrap: wrap; padding-top: 6px; padding-bottom: 6px; gap: 2px 10px; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .cell, .strip span, .ribbon span { forced-color-adjust: none; } }
`;
