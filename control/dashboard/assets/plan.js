// SPDX-License-Identifier: Apache-2.0
// A plan, check or recorded change: each rule's verdict, and what moves where.
import {badge, byId, el, plainTable} from './dom.js';
import {count, percent, plural, points, utc} from './format.js';

const MAX_FILE = 64 * 2 ** 20;
const POOLS_SHOWN = 50;
let get;

// The three forms (evenkeel.check/v1, evenkeel.plan/v1, evenkeel.verdict/v1) as one.
export function readPlan(document) {
  const schema = String(document?.schema ?? '');
  const list = (value) => Array.isArray(value) ? value : [];
  if (schema.startsWith('evenkeel.history/')) return readPlan(list(document.revisions)[0]?.verdict);
  if (!/^evenkeel\.(check|plan|verdict)\//.test(schema)) {
    throw new Error(schema ? `it is of schema ${schema}, which is no plan`
      : 'it has no schema: is it what evenkeel plan -o json wrote?');
  }
  return {
    schema, verdict: document.verdict ?? '', revision: document.revision,
    created: document.created_at, source: document.source, noChange: document.no_change,
    config: typeof document.config === 'string' ? document.config : '',
    errors: list(document.errors), violations: list(document.violations),
    rules: list(document.rules).filter((rule) => typeof rule === 'object'),
    ruleNames: list(document.rules).filter((rule) => typeof rule === 'string'),
    pools: list(document.pools).map((pool) => ({
      name: pool.pool, kind: pool.kind ?? pool.change ?? '', size: pool.table_size,
      moved: pool.slots_moved, worst: pool.worst_failure,
      backends: list(pool.backends).map((b) => ({
        name: b.name, address: b.address ?? '', before: b.share_before ?? b.before ?? 0,
        after: b.share_after ?? b.after ?? 0, added: b.added, removed: b.removed,
        state: b.state ?? 'enabled'}))})),
    vips: list(document.vips).map((vip) => ({name: vip.vip, kind: vip.kind ?? vip.change})),
    live: document.live_traffic ?? null, differences: list(document.differences),
  };
}

const SEVERITY = {block: 'bad', refuse: 'bad', error: 'bad', warn: 'warn', pass: 'good'};
const WORDS = {refuse: 'Refused', error: 'Not valid', warn: 'Accepted with warnings',
               pass: 'Accepted, every rule passes'};

function violations(plan) {
  if (!plan.violations.length) return null;
  return plainTable('Rules that speak against it', [{label: 'Rule'}, {label: 'Says'},
    {label: 'Where'}, {label: 'Observed'}, {label: 'Limit'}, {label: 'Fix'}],
    plan.violations.map((v) => [`${v.rule} ${v.name}`, badge(SEVERITY[v.severity] ?? 'quiet',
      v.severity === 'block' ? 'refuses' : v.severity === 'warn' ? 'warns' : v.severity),
      `${v.subject}${v.file && v.line ? `, ${v.file}:${v.line}` : ''}`, v.observed, v.limit,
      v.fix || v.message || '–']));
}

function rules(plan) {
  if (!plan.rules.length) {
    return plan.ruleNames.length
      ? el('p', {text: `Rules that spoke: ${plan.ruleNames.join(', ')}`}) : null;
  }
  const passed = plan.rules.filter((rule) => rule.severity === 'pass').length;
  return el('details', {}, el('summary', {text:
    `Every rule’s result (${passed} of ${plan.rules.length} pass)`}),
    plainTable('Every rule’s result', [{label: 'Rule'}, {label: 'Result'}, {label: 'Pool'},
      {label: 'Observed'}, {label: 'Limit'}],
      plan.rules.map((r) => [`${r.rule} ${r.name}`, badge(SEVERITY[r.severity] ?? 'quiet',
        r.severity), r.pool || '–', r.observed || '–', r.limit || '–']), {hideCaption: true}));
}

function pair(before, after, top) {
  const bar = (kind, share) => {
    const node = el('i', {class: kind});
    node.style.width = `${100 * share / top}%`;
    return node;
  };
  return el('div', {class: 'pair', 'aria-hidden': 'true'}, bar('before', before),
            bar('after', after));
}

function pool(p) {
  const rows = p.backends;
  const top = Math.max(0.001, ...rows.flatMap((b) => [b.before, b.after]));
  const moved = p.size ? `${plural(p.moved, 'slot')} of ${p.size} move (${percent(p.moved / p.size)})`
    : '';
  return el('section', {class: 'plan-pool'},
    el('h4', {}, `Pool ${p.name} `, badge(p.kind === 'unchanged' ? 'quiet' : 'move', p.kind)),
    el('p', {}, moved, p.worst ? `; if ${p.worst.lost} fails, ${p.worst.busiest} carries ` +
      percent(p.worst.share) : ''),
    rows.length ? plainTable(`Shares of pool ${p.name} before and after`, [{label: 'Backend'},
      {label: 'Before', num: true}, {label: 'After', num: true}, {label: 'Change', num: true},
      {label: 'Bars'}, {label: 'Note'}],
      rows.map((b) => [[b.name, el('span', {class: 'quiet', text: ` ${b.address}`})],
        percent(b.before, 2), percent(b.after, 2), points(b.after - b.before),
        pair(b.before, b.after, top),
        b.added ? 'added' : b.removed ? 'removed' : b.state !== 'enabled' ? b.state : '']),
      {hideCaption: true}) : null);
}

function pools(plan) {
  const changed = plan.pools.filter((p) => p.kind !== 'unchanged');
  const parts = changed.slice(0, POOLS_SHOWN).map(pool);
  if (changed.length > POOLS_SHOWN) {
    const rest = changed.slice(POOLS_SHOWN);
    const button = el('button', {type: 'button', onclick: () => button.replaceWith(
      ...rest.splice(0, POOLS_SHOWN).map(pool), ...(rest.length ? [button] : []))},
      `Show more of ${changed.length} pools`);
    parts.push(button);
  }
  const same = plan.pools.length - changed.length;
  if (same > 0) parts.push(el('p', {class: 'quiet', text: `${plural(same, 'pool')} unchanged.`}));
  return parts.length ? el('div', {}, el('h3', {text: 'Pools'}), parts) : null;
}

function live(plan) {
  if (!plan.live) return null;
  const n = (value) => value === null || value === undefined ? '–' : count(value);
  return el('div', {}, el('h3', {text: 'Live traffic'}),
    plan.live.not_sampled ? el('p', {}, badge('warn', 'Not sampled'), ` ${plan.live.not_sampled}`)
      : plan.live.sample ? el('p', {class: 'quiet', text: `Sample: one packet in ` +
        `${plan.live.sample.one_in}, ${count(plan.live.sample.packets)} packets in ` +
        `${plan.live.sample.lasted_s} s.`}) : null,
    plan.live.pools?.length ? plainTable('What it would do to real traffic', [{label: 'Pool'},
      {label: 'Packets/s', num: true}, {label: 'of which moved', num: true},
      {label: 'Flows seen', num: true}, {label: 'Flows moved', num: true},
      {label: 'of them stay', num: true}, {label: 'cut off', num: true}],
      plan.live.pools.map((p) => [p.pool, n(p.packets_per_s), n(p.moved_packets_per_s),
        n(p.sampled?.flows), n(p.moved?.flows), n(p.staying?.flows), n(p.cut?.flows)])) : null);
}

function fields(plan) {
  if (!plan.differences.length) return null;
  const word = (value) => value === undefined || value === null ? ''
    : typeof value === 'string' ? value : JSON.stringify(value);
  return el('details', {}, el('summary', {text: `Changed fields (${plan.differences.length})`}),
    plainTable('Changed fields', [{label: 'Where'}, {label: 'Field'}, {label: 'Before'},
      {label: 'After'}],
      plan.differences.slice(0, 500).map((d) => [
        word(d.object ?? d.path), word(d.field ?? d.kind), word(d.before ?? d.old),
        word(d.after ?? d.new)]), {hideCaption: true}));
}

function show(name, plan) {
  const box = byId('plan');
  const kind = SEVERITY[plan.verdict] ?? 'quiet';
  const parts = [
    el('h3', {tabindex: '-1'}, badge(kind, WORDS[plan.verdict] ?? plan.verdict), ` ${name}`),
    el('p', {class: 'quiet', text: [
      plan.revision !== undefined ? `Made against revision ${plan.revision}.` : '',
      plan.created ? `Made at ${utc(plan.created)}.` : '', plan.source ? `Of ${plan.source}.` : '',
      plan.noChange ? 'No change: this is the state in force.' : '']
      .filter(Boolean).join(' ')}),
    plan.errors.length ? plainTable('Errors', [{label: 'Where'}, {label: 'Field'},
      {label: 'Problem'}], plan.errors.map((e) => [`${e.file}:${e.line}:${e.column}`, e.field,
      e.message])) : null,
    violations(plan), rules(plan), pools(plan), live(plan),
    plan.vips.some((vip) => vip.kind !== 'unchanged') ? el('div', {}, el('h3', {text: 'VIPs'}),
      el('ul', {}, plan.vips.filter((vip) => vip.kind !== 'unchanged').map((vip) =>
        el('li', {text: `${vip.name}: ${vip.kind}`})))) : null,
    fields(plan),
    plan.config ? el('details', {}, el('summary', {text: 'Configuration in the plan'}),
      el('pre', {tabindex: '0', 'aria-label': 'Configuration in the plan', text: plan.config}))
      : null,
  ];
  box.replaceChildren(...parts.filter(Boolean));
  box.querySelector('h3').focus();
}

function fail(name, error) {
  byId('plan').replaceChildren(el('p', {class: 'banner bad', role: 'alert',
    text: `${name} cannot be shown: ${error.message}`}));
}

async function openFile(file) {
  try {
    if (file.size > MAX_FILE) throw new Error(`it has ${count(file.size)}B; at most 64 MB are read`);
    let document;
    try {
      document = JSON.parse(await file.text());
    } catch {
      throw new Error('it is no JSON; make it with evenkeel plan -f FILE -o json');
    }
    show(file.name, readPlan(document));
  } catch (error) {
    fail(file.name, error);
  }
}

// `which`: a revision's number, or "at-NANOSECONDS" of an entry that has none.
export async function openRecorded(which) {
  const at = /^at-(\d+)$/.exec(which);
  const name = at ? 'Refused or failed change' : `Revision ${which}`;
  try {
    const r = await get(at ? `/api/revision?created=${at[1]}`
      : `/api/revision?number=${encodeURIComponent(which)}`);
    if (!r.verdict) throw new Error('no verdict was recorded with it');
    show(`${name} by ${r.author}: ${r.reason || 'no reason'}`,
      readPlan({...r.verdict, revision: r.base, created_at: r.created_at}));
  } catch (error) {
    fail(name, error);
  }
}

export function start(getJson) {
  get = getJson;
  byId('plan-file').addEventListener('change', (event) => {
    const [file] = event.target.files;
    if (file) openFile(file);
  });
  const openNumber = () => {
    const number = byId('plan-revision').value;
    if (number) location.hash = `#/plan/${number}`;
  };
  byId('plan-open').addEventListener('click', openNumber);
  byId('plan-revision').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') openNumber();
  });
}
