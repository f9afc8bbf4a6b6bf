import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { monitorPage, monitorScript } from './page.ts';

const { html, contentSecurityPolicy } = monitorPage;
const between = (start: string, end: string) =>
  html.slice(html.indexOf(start) + start.length, html.indexOf(end));
const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('monitor page', () => {
  test('has a policy that allows its own script and style by hash, and nothing inline beside them', () => {
    expect(contentSecurityPolicy).toContain(`script-src ${hash(between('<script>', '</script>'))};`);
    expect(contentSecurityPolicy).toContain(`style-src ${hash(between('<style>', '</style>'))};`);
    expect(contentSecurityPolicy).not.toContain('unsafe');
    expect(html).not.toMatch(/ style=|<[^>]+ on[a-z]+=/);
  });

  test('loads nothing from elsewhere', () => {
    expect(html.match(/(?:src|href)="[^"]*"/g)).toEqual(['href="data:,"', 'href="#main"']);
    expect(html).not.toMatch(/@import|url\(/);
  });

  test('never turns text into markup', () => {
    expect(monitorScript).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/,
    );
  });

  test('has an element for every id its script looks up', () => {
    const made = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    const wanted = [...monitorScript.matchAll(/byId\('([^']+)'\)/g)].map(([, id]) => id);
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((id) => !made.has(id))).toEqual([]);
  });
});
