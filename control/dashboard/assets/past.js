// SPDX-License-Identifier: Apache-2.0
// Who changed what and why, and what that did to the shares.
import {badge, byId, el, plainTable, setText} from './dom.js';
import {ago, now, percent, plural, points, utc} from './format.js';
import {Shares, panels} from './chart.js';

const AROUND_MS = 5 * 60e3, EFFECT_MS = 60e3, SETTLE_MS = 5e3, REFRESH_MS = 5e3;
const OUTCOMES = {applied: 'good', pending: 'move', failed: 'bad', refused: 'bad'};

let get, onMarks, revisions = [], more = false, mark = null, loading = false;
const idOf = (r) => r.created_unix_ns;

export const nameOf = (r) => r.revision ? `revision ${r.revision}` : `${r.outcome} change`;

export function outcome(r) {
  if (r.outcome === 'applied' && r.standing !== 'confirmed') {
    return badge(r.standing === 'rolled_back' ? 'bad' : 'warn', r.standing.replace('_', ' '));
  }
  return badge(OUTCOMES[r.outcome] ?? 'quiet', r.outcome);
}

function effect(pool) {
  const list = pool.backends.slice(0, 3).map((b) =>
    `${b.name} ${percent(b.before)} to ${percent(b.after)}`);
  if (pool.backends_changed > list.length) list.push(`${pool.backends_changed - list.length} more`);
  return `${pool.pool}: ${list.join(', ') || 'no share'}`;
}

function effects(r) {
  const parts = [];
  const refusing = r.rules.filter((rule) => r.outcome !== 'refused' || rule.severity === 'block');
  for (const rule of refusing) {
    parts.push(el('div', {}, badge(rule.severity === 'block' ? 'bad' : 'warn',
      `${rule.rule} ${rule.name}`), rule.count > 1 ? ` in ${rule.count} places` : ` ${rule.subject}`));
  }
  for (const pool of r.pools.slice(0, 3)) parts.push(el('div', {text:
    (r.outcome === 'applied' ? '' : 'would be ') + effect(pool)}));
  if (r.pools_changed > 3) parts.push(el('div', {text: `${r.pools_changed - 3} pools more`}));
  return parts.length ? parts : ['no pool'];
}

function ending(r) {
  const lines = [];
  if (r.restores) lines.push(`Brings back revision ${r.restores}.`);
  if (r.settled_at) {
    lines.push(`${r.standing.replace('_', ' ')} at ${utc(r.settled_at)} by ${r.settled_by}` +
      (r.settled_why ? `: ${r.settled_why}` : ''));
  }
  if (r.standing === 'awaiting') lines.push(`Awaits its confirmation until ${utc(r.confirm_by)}`);
  if (r.good_at) lines.push(`Known as good since ${utc(r.good_at)}`);
  if (r.base) lines.push(`Made against revision ${r.base}`);
  return lines;
}

// Recorded shares, and what was measured a minute before and after.
async function poolEffect(r, pool) {
  const t = Date.parse(r.created_at);
  const shares = new Shares(pool.pool);
  const measured = r.outcome === 'applied' && t > now() - 3600e3;
  shares.newest = t - AROUND_MS;  // nothing older is wanted
  if (measured) await shares.fetch(get);
  const share = (value) => value === null ? '–' : percent(value, 2);
  const columns = [{label: 'Backend'}, {label: 'Share before', num: true},
    {label: 'Share after', num: true}, {label: 'Change', num: true}];
  if (measured) {
    columns.push({label: 'Observed before', num: true},
                 {label: 'Observed after', num: true});
  }
  const parts = [plainTable(
    `Pool ${pool.pool}: ${plural(pool.slots_moved, 'slot')} of ${pool.table_size} moved`, columns,
    pool.backends.map((b) => {
      const cells = [b.name, percent(b.before, 2), percent(b.after, 2), points(b.after - b.before)];
      if (measured) {
        cells.push(share(shares.observed(b.name, t - EFFECT_MS, t)),
                   share(shares.observed(b.name, t, t + EFFECT_MS + SETTLE_MS)));
      }
      return cells;
    }))];
  if (measured) {
    parts.push(el('p', {class: 'quiet', text: 'Observed: in the minute before and after.'}));
  }
  if (pool.backends_changed > pool.backends.length) {
    parts.push(el('p', {class: 'quiet', text: `${pool.backends_changed - pool.backends.length} ` +
      'backends more: see the plan viewer.'}));
  }
  if (measured) {
    parts.push(panels(shares, {from: t - AROUND_MS, to: Math.min(now(), t + AROUND_MS),
      backends: pool.backends.map((b) => b.name),
      marks: marksOf(revisions).filter((m) => m.pools.includes(pool.pool))}));
  }
  return el('div', {class: 'effect'}, parts);
}

async function fillDetail(box, r) {
  const parts = [
    el('ul', {}, ending(r).map((line) => el('li', {text: line}))),
    r.error ? el('p', {}, badge('bad', 'Error'), ` ${r.error}`) : null,
    el('p', {}, el('a', {href: `#/plan/${r.revision || `at-${r.created_unix_ns}`}`},
      `Show ${nameOf(r)} in the plan viewer`), ` (every rule, limits and fixes)`),
  ];
  for (const pool of r.pools) {
    try {
      parts.push(await poolEffect(r, pool));
    } catch (error) {
      parts.push(el('p', {}, badge('warn', 'Shares'), ` cannot be read: ${error.message}`));
    }
  }
  // All at once, and not while somebody is in it.
  if (!box.contains(document.activeElement)) box.replaceChildren(...parts.filter(Boolean));
}

function row(r) {
  const id = `change-${idOf(r)}`;
  const box = el('div', {id, class: 'detail', hidden: true});
  const button = el('button', {type: 'button', class: 'fold', 'aria-expanded': 'false',
    'aria-controls': id, 'aria-label': `${nameOf(r)}, details`, onclick: () => {
      const shown = box.hidden;
      box.hidden = !shown;
      button.setAttribute('aria-expanded', String(shown));
      if (shown) fill();
    }}, r.revision ? String(r.revision) : '–');
  const cell = (label, tag = 'td') => el(tag, {role: tag === 'th' ? 'rowheader' : 'cell',
    scope: tag === 'th' ? 'row' : undefined, 'data-label': label});
  const [number, when, who, why, what, did] = [cell('Revision', 'th'), cell('When'), cell('Who'),
    cell('Why'), cell('Outcome'), cell('Effect')];
  number.append(button);
  const body = el('tbody', {role: 'rowgroup', 'data-created': idOf(r)},
    el('tr', {role: 'row'}, number, when, who, why, what, did),
    el('tr', {role: 'row', class: 'more'}, el('td', {role: 'cell', colspan: '6'}, box)));
  let key = '', current = r;
  let filled = 0;
  const fill = () => {
    filled = performance.now();
    return fillDetail(box, current);
  };
  // What a new change does is still to be seen.
  const refresh = async () => {
    const young = now() - Date.parse(current.created_at) < AROUND_MS;
    if (!box.hidden && young && performance.now() - filled > REFRESH_MS) await fill();
  };
  return {node: body, refresh, update(next) {
    const k = JSON.stringify(next);
    if (k === key) return;
    key = k;
    current = next;
    when.replaceChildren(ago(next.created_at));
    who.replaceChildren(next.author, next.source
      ? el('span', {class: 'quiet', text: ` via ${next.source}`}) : '');
    why.replaceChildren(next.reason || '–', next.ticket
      ? el('span', {class: 'quiet', text: ` ${next.ticket}`}) : '');
    what.replaceChildren(outcome(next));
    did.replaceChildren(...effects(next));
    if (!box.hidden) fill();
  }};
}

function text(r) {
  return [nameOf(r), r.author, r.reason, r.ticket, r.source, r.outcome, r.standing, r.error,
    ...r.rules.flatMap((rule) => [rule.rule, rule.name]),
    ...r.pools.map((pool) => pool.pool)].join(' ').toLowerCase();
}

let table = null;
function draw() {
  if (!table) {
    table = el('table', {role: 'table', class: 'history'},
      el('caption', {class: 'hidden', text: 'Changes, newest first'}),
      el('thead', {role: 'rowgroup'}, el('tr', {role: 'row'},
        ['Revision', 'When', 'Who', 'Why', 'Outcome', 'Effect on the shares'].map((label) =>
          el('th', {scope: 'col', role: 'columnheader', text: label})))));
    byId('history').append(table);
  }
  const filter = byId('history-filter').value.trim().toLowerCase();
  const shown = revisions.filter((r) => !filter || text(r).includes(filter));
  syncRows(shown);
  setText(byId('history-count'), `${plural(revisions.length, 'change')} loaded` +
    (filter ? `, ${shown.length} match` : ''));
  byId('history-more').hidden = !more;
}

// Each entry is a body of the table's own, behind caption and head.
const kept = new Map();
function syncRows(shown) {
  const wanted = new Set(shown.map(idOf));
  for (const [id, one] of kept) {
    if (!wanted.has(id)) {
      one.node.remove();
      kept.delete(id);
    }
  }
  let after = table.tHead;
  for (const r of shown) {
    let one = kept.get(idOf(r));
    if (!one) kept.set(idOf(r), one = row(r));
    one.update(r);
    if (after.nextSibling !== one.node) table.insertBefore(one.node, after.nextSibling);
    after = one.node;
  }
}

export const marksOf = (list) => list.filter((r) => r.outcome === 'applied').map((r) => ({
  t: Date.parse(r.created_at), label: `revision ${r.revision} by ${r.author}`,
  short: String(r.revision), pools: r.pools.map((pool) => pool.pool)}));

async function load(older) {
  if (loading) return;
  loading = true;
  try {
    const before = older && revisions.length ? `&before=${revisions.at(-1).created_unix_ns}` : '';
    const answer = await get(`/api/history?limit=50${before}`);
    const known = new Map(revisions.map((r) => [idOf(r), r]));
    for (const r of answer.revisions) known.set(idOf(r), r);
    revisions = [...known.values()].sort((a, b) =>
      BigInt(b.created_unix_ns) > BigInt(a.created_unix_ns) ? 1 : -1);
    if (older || !before && revisions.length <= 50) more = answer.more;
    onMarks(marksOf(revisions));
    draw();
    if (!byId('view-history').hidden) await loadHealth();
  } finally {
    loading = false;
  }
}

export async function loadHealth() {
  const answer = await get('/api/health?limit=100');
  byId('health').replaceChildren(answer.changes.length === 0
    ? el('p', {class: 'quiet', text: 'No server has gone out of a table or come back.'})
    : plainTable('Servers that went out of the tables by their health, and came back; newest first',
      [{label: 'When'}, {label: 'Pool'}, {label: 'Backend'}, {label: 'Now'}, {label: 'Cause'}],
      answer.changes.map((c) => [ago(c.time), c.pool, `${c.backend} ${c.server}`,
        c.out ? badge('bad', 'out') : c.share < 1 ? badge('move', `${percent(c.share)} of its share`)
          : badge('good', 'back'), c.cause]), {hideCaption: true}));
}

// Fetches the newest entries where `newMark` says that there are others.
export async function follow(newMark) {
  if (newMark === mark) return;
  await load(false);
  mark = newMark;
}

// The curves of changes that are open.
export async function refreshOpen() {
  if (byId('view-history').hidden) return;
  for (const one of kept.values()) await one.refresh();
}

export function start(getJson, tellMarks) {
  get = getJson;
  onMarks = tellMarks;
  byId('history-filter').addEventListener('input', draw);
  byId('history-more').addEventListener('click', () => load(true));
}
