// SPDX-License-Identifier: Apache-2.0
// Shares over time: a small panel for each backend, observed against expected.
import {el, svg} from './dom.js';
import {clock, now, percent} from './format.js';

const WIDTH = 240, HEIGHT = 64, FLOOR = HEIGHT - 12;
const KEPT_MS = 3600e3;
const ENOUGH = 25;  // events in the pool, below which a point says nothing

// The samples of a pool, fetched piece by piece.
export class Shares {
  constructor(pool) {
    this.pool = pool;
    this.segments = [];
    this.newest = 0;
    this.intervalMs = 5000;
    this.asked = 0;
  }

  // True if there is something new.
  async fetch(get) {
    if (performance.now() - this.asked < Math.min(this.intervalMs, 5000)) return false;
    this.asked = performance.now();
    const answer = await get(
      `/api/shares?pool=${encodeURIComponent(this.pool)}&since=${this.newest}`);
    this.intervalMs = answer.interval_ms || 5000;
    for (const segment of answer.segments) {
      const last = this.segments.at(-1);
      if (last && String(last.backends) === String(segment.backends)) {
        last.samples.push(...segment.samples);
      } else {
        this.segments.push(segment);
      }
      this.newest = segment.samples.at(-1)?.t ?? this.newest;
    }
    for (const segment of this.segments) {
      segment.samples = segment.samples.filter((sample) => sample.t > this.newest - KEPT_MS);
    }
    this.segments = this.segments.filter((segment) => segment.samples.length > 0);
    return answer.segments.length > 0;
  }

  backends() {
    return [...new Set(this.segments.flatMap((segment) => segment.backends))];
  }

  // [{t, expected, observed, revision}] of a backend; observed is null where too little was seen.
  // Samples are added up until there is enough of them.
  points(backend, from, to) {
    const points = [];
    let got = 0, all = 0;
    for (const segment of this.segments) {
      const i = segment.backends.indexOf(backend);
      for (const sample of segment.samples) {
        if (sample.t < from || sample.t > to) continue;
        const flows = sum(sample.flows);
        const counts = flows > 0 ? sample.flows : sample.packets;  // plain UDP has no flows
        const expected = i < 0 ? 0 : sample.expected[i];
        if (points.length && points.at(-1).expected !== expected) got = all = 0;
        got += i < 0 ? 0 : counts[i];
        all += sum(counts);
        const enough = all >= ENOUGH;
        points.push({t: sample.t, expected, revision: sample.revision,
                     observed: enough && sample.ms > 0 ? got / all : null});
        if (enough) got = all = 0;
      }
    }
    return points;
  }

  // Observed part of what was counted between two times; null where that is too little.
  observed(backend, from, to) {
    let got = 0, all = 0;
    for (const segment of this.segments) {
      const i = segment.backends.indexOf(backend);
      for (const sample of segment.samples) {
        // Whole samples only: one that began before `from` counts for another time, too.
        if (sample.t - sample.ms < from || sample.t > to || !sample.ms) continue;
        const counts = sum(sample.flows) > 0 ? sample.flows : sample.packets;
        got += i < 0 ? 0 : counts[i];
        all += sum(counts);
      }
    }
    return all >= ENOUGH ? got / all : null;
  }
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// `marks`: [{t, label}]. `top`: the share at the upper edge.
function panel(backend, points, {from, to, top, marks}) {
  const x = (t) => ((t - from) / (to - from) * WIDTH).toFixed(1);
  const y = (share) => (FLOOR - Math.min(share / top, 1) * (FLOOR - 4)).toFixed(1);
  const known = points.filter((point) => point.observed !== null);
  const lines = {expected: '', observed: ''};
  let open = false, before = null;
  for (const point of points) {
    // Steps: a share holds until the next one.
    if (before !== null && before !== point.expected) {
      lines.expected += `L${x(point.t)} ${y(before)}`;
    }
    lines.expected += `${lines.expected ? 'L' : 'M'}${x(point.t)} ${y(point.expected)}`;
    before = point.expected;
    if (point.observed === null) continue;
    lines.observed += `${open ? 'L' : 'M'}${x(point.t)} ${y(point.observed)}`;
    open = true;
  }
  const last = points.at(-1);
  const seen = known.map((point) => point.observed);
  const here = marks.filter((mark) => mark.t >= from && mark.t <= to);
  const text = `${backend}: expected ${last ? percent(last.expected) : 'nothing'}, observed ` +
    (seen.length ? `${percent(Math.min(...seen))} to ${percent(Math.max(...seen))}, last ` +
      percent(seen.at(-1)) : 'too little to say') +
    `; ${clock(from)} to ${clock(to)}` +
    (here.length ? `; changed by ${here.map((mark) => mark.label).join(', ')}` : '');
  return el('figure', {class: 'panel'},
    el('figcaption', {}, el('b', {text: backend}),
       el('span', {class: 'quiet'}, last ? ` expected ${percent(last.expected)}` : ''),
       el('span', {}, seen.length ? ` observed ${percent(seen.at(-1))}` : ' too little data')),
    svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': text,
                preserveAspectRatio: 'none'},
      svg('line', {class: 'axis', x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR}),
      here.map((mark) => [
        svg('line', {class: 'mark', x1: x(mark.t), x2: x(mark.t), y1: 0, y2: FLOOR}),
        svg('text', {class: 'mark-text', x: Math.min(x(mark.t), WIDTH - 24), y: HEIGHT - 2},
            mark.short),
      ]),
      svg('path', {class: 'observed', d: lines.observed || 'M0 0'}),
      svg('path', {class: 'expected', d: lines.expected || 'M0 0'})));
}

// The panels of a pool: at most `limit`, those that are farthest from their share first.
export function panels(shares, {from, to = now(), marks = [], backends, limit = 24}) {
  const all = (backends ?? shares.backends())
    .map((name) => ({name, points: shares.points(name, from, to)}))
    .filter((one) => one.points.length > 0);
  if (all.length === 0) return el('p', {class: 'quiet', text:
    'No samples of that time: the daemon takes them from its start, for an hour.'});
  const off = (one) => {
    const last = one.points.findLast((point) => point.observed !== null);
    if (!last) return 0;
    return Math.abs(last.observed - last.expected);
  };
  const shown = all.length <= limit ? all
    : all.sort((a, b) => off(b) - off(a)).slice(0, limit);
  const top = 1.1 * Math.max(0.01, ...shown.flatMap((one) => one.points.flatMap(
    (point) => [point.expected, point.observed ?? 0])));
  return el('div', {},
    el('div', {class: 'panels'},
      shown.map((one) => panel(one.name, one.points, {from, to, top, marks}))),
    el('p', {class: 'quiet'},
      `Solid: observed share of new flows (plain UDP: packets). Dashed: expected. Upright: ` +
      `revisions. Top of each panel: ${percent(top)}.` +
      (shown.length < all.length
        ? ` The ${shown.length} of ${all.length} backends that are farthest from their share.`
        : '')));
}
