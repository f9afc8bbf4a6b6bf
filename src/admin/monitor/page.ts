/**
 * The monitor as one HTML page that loads nothing else. The policy header allows exactly this style and this script, by
 * their hashes, and calls to the router itself.
 */
import { createHash } from 'node:crypto';
import { markup } from './markup.ts';
import { actions } from './script/actions.ts';
import { basics } from './script/basics.ts';
import { days } from './script/days.ts';
import { figures } from './script/figures.ts';
import { host } from './script/host.ts';
import { logs } from './script/logs.ts';
import { models } from './script/models.ts';
import { poll } from './script/poll.ts';
import { tables } from './script/tables.ts';
import { tokens } from './script/tokens.ts';
import { style } from './style.ts';

export interface MonitorPage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** The whole browser code; `poll` starts it, so it comes last. */
export const monitorScript = `(() => {\n'use strict';\n${[basics, figures, tables, actions, logs, models, tokens, days, host, poll].join('')}})();\n`;

export const monitorPage: MonitorPage = {
  html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>llamero</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>${markup}<script>${monitorScript}</script></body>
</html>
`,
  contentSecurityPolicy: [
    "default-src 'none'",
    `script-src '${hashOf(monitorScript)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
};

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
