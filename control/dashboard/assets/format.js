// SPDX-License-Identifier: Apache-2.0
import {el} from './dom.js';

let offsetMs = 0;  // of the daemon's clock to this one
export function setDaemonTime(iso) {
  const measured = Date.parse(iso) - Date.now();
  // Answers are up to a second old: the nearest to now is the best.
  if (Math.abs(measured - offsetMs) > 1500) offsetMs = measured;
  else offsetMs = Math.max(offsetMs, measured);
}
export const now = () => Date.now() + offsetMs;

export const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)} %`;
export const points = (share) => `${share > 0 ? '+' : ''}${(share * 100).toFixed(2)}`;
export const times = (ratio) => `${ratio.toFixed(ratio >= 10 ? 0 : 2)}×`;

export function count(n) {
  if (n === null || n === undefined) return '–';
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
    if (n >= size) return `${(n / size).toPrecision(3)} ${unit}`;
  }
  return n >= 10 || Number.isInteger(n) ? String(Math.round(n)) : n.toFixed(1);
}
export const plural = (n, noun) => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;

export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} days`;
}
export const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
export const utc = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

// "12 s ago", kept current by tickTimes.
export function ago(iso) {
  const node = el('time', {datetime: iso, title: utc(iso), 'data-ago': String(Date.parse(iso))});
  tick(node);
  return node;
}
function tick(node) {
  const text = `${span(now() - Number(node.dataset.ago))} ago`;
  if (node.textContent !== text) node.textContent = text;
}
export function tickTimes() {
  for (const node of document.querySelectorAll('time[data-ago]')) tick(node);
}

export const DIAGNOSES = {
  'weights': 'Weights and servers as configured',
  'builder': 'The table is not what the weights ask for',
  'maps': 'A failed or foreign write to the kernel’s maps',
  'few-sources': 'Few clients, NAT or source affinity',
  'upstream': 'ECMP of routers or RSS of the interface',
  'elephant': 'Single flows that carry much',
  'backend': 'The server; the distribution is right',
  'data-path': 'Packets do not follow the table',
  'unexplained': 'Not explained yet',
};
