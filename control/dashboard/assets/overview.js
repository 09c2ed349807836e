// SPDX-License-Identifier: Apache-2.0
// What is in force, what is wrong, and who gets what.
import {announce, badge, byId, command, copyButton, el, plainTable, setAttr, setClass, setText,
        sync, table} from './dom.js';
import {DIAGNOSES, ago, count, now, percent, plural, setDaemonTime, span, times,
        utc} from './format.js';
import {Shares, panels} from './chart.js';

export const ui = {filter: '', sort: 'worst', backendSort: 'skew', limit: 50, open: null};
const LIMIT_STEP = 50;
let marks = [];        // revisions: [{t, label, short, pools}]
let refresh = () => {};

export function setMarks(list) {
  marks = list;
}

export function overviewUrl() {
  const query = new URLSearchParams({limit: String(ui.limit), sort: ui.sort});
  if (ui.filter) query.set('filter', ui.filter);
  if (ui.open?.size) query.set('open', [...ui.open].slice(0, 50).join(','));
  return `/api/overview?${query}`;
}

// --- What is in force

function fact(label, ...content) {
  return el('div', {class: 'fact'}, el('span', {class: 'label', text: label}),
            el('span', {class: 'value'}, content));
}

let stateKey = '';
function showState(data) {
  const a = data.applied;
  const key = JSON.stringify([a, data.last_good, data.digest_matches, data.kernel_digest,
                              data.generation, data.overrides, data.notices, data.interfaces,
                              data.alarm, data.watched]);
  if (key === stateKey) return;
  stateKey = key;
  setText(byId('instance'), data.instance);
  document.title = `Evenkeel ${data.instance}`;
  setText(byId('version'), `evenkeeld ${data.version}, instance ${data.instance}.`);
  const facts = el('div', {class: 'facts'},
    a.revision === 0 ? fact('In force', 'nothing yet')
      : fact('In force', el('b', {text: `Revision ${a.revision}`}), ` by ${a.author}, `,
             ago(a.applied_at), a.ticket ? ` (${a.ticket})` : '',
             el('span', {class: 'reason', text: a.reason})),
    fact('Kernel', data.alarm
      ? badge('bad', 'differs from what was approved')
      : badge('good', `has it, generation ${data.generation}`),
      ' ', el('code', {title: data.kernel_digest, text: data.kernel_digest.slice(0, 12)})),
    fact('Known as good', data.last_good ? `revision ${data.last_good}` : 'none yet'),
    fact('Interfaces', data.interfaces.length
      ? data.interfaces.map((i) => `${i.name} (${i.mode} XDP)`).join(', ') : 'none'));
  const list = [];
  // Those of a revision have one reason and end together.
  const overrides = Map.groupBy(data.overrides, (o) => `${o.revision} ${o.expires_at}`);
  for (const [o, ...more] of overrides.values()) {
    const rules = [o, ...more].map((one) => one.rule).join(', ');
    list.push(el('li', {}, badge('warn', 'Overridden'), ` ${rules} until ${utc(o.expires_at)}, by ` +
      `${o.author}, revision ${o.revision}: ${o.reason}`));
  }
  if (data.watched) {
    list.push(el('li', {}, badge(data.watched.state === 'held' ? 'warn' : 'quiet',
      `File ${data.watched.path}: ${data.watched.state}`), ` ${data.watched.detail}`));
  }
  for (const notice of data.notices) list.push(el('li', {}, badge('warn', 'Notice'), ` ${notice}`));
  byId('state').replaceChildren(facts);
  byId('notes').hidden = list.length === 0;
  byId('notes-list').replaceChildren(...list);
}

let pendingKey = '';
function showPending(applied) {
  const section = byId('pending');
  const waits = applied.standing === 'awaiting' && applied.revision > 0;
  section.hidden = !waits;
  const key = waits ? `${applied.revision} ${applied.confirm_by}` : '';
  if (key === pendingKey) return;
  pendingKey = key;
  section.replaceChildren();
  if (!waits) return;
  section.append(el('div', {class: 'banner warn'},
    el('p', {}, el('b', {text: `Revision ${applied.revision} awaits its confirmation: `}),
       el('span', {id: 'countdown', 'data-deadline': applied.confirm_by}),
       applied.auto_confirm ? ' left, then it is confirmed unless something speaks against it.'
         : ' left, then it is rolled back.'),
    el('p', {}, 'To keep it: ', command(`evenkeel confirm ${applied.revision}`, 'command'),
       ' To take it back: ', command(`evenkeel cancel ${applied.revision}`, 'command'))));
  announce(`Revision ${applied.revision} awaits its confirmation`);
  tickCountdown();
}

export function tickCountdown() {
  const node = byId('countdown');
  if (node) setText(node, span(Date.parse(node.dataset.deadline) - now()));
}

// --- Alarms

function evidence(e) {
  const facts = [['Expected', `${percent(e.expected_share)}, ${count(e.expected)} ${e.unit}`],
                 ['Observed', `${percent(e.observed_share)}, ${count(e.observed)} ${e.unit}`]];
  if (e.ratio > 0) facts.push(['Ratio', times(e.ratio)]);
  if (e.window_s > 0) facts.push(['Over', `${e.window_s} s`]);
  if (e.z) facts.push(['z', e.z.toFixed(1)]);
  return el('dl', {class: 'evidence'}, facts.map(([name, value]) =>
    el('div', {}, el('dt', {text: name}), el('dd', {text: value}))));
}

function heavy(flows) {
  if (!flows.length) return null;
  return plainTable('Heaviest flows to it', [{label: 'Source'}, {label: 'To port', num: true},
    {label: 'Protocol', num: true}, {label: 'Share', num: true}],
    flows.map((f) => [f.source ? `${f.source}${f.source_port ? ` port ${f.source_port}` : ''}` : '–',
      f.destination_port || '–', f.ip_protocol || '–', percent(f.share)]));
}

function alarmContent(a) {
  const page = a.severity === 'page';
  return [
    el('h3', {}, badge(page ? 'bad' : 'warn', page ? 'Page' : 'Ticket'), ' ',
       a.pool ? `Pool ${a.pool}` : 'Upstream', a.name ? `, ${a.name}` : ''),
    el('p', {class: 'alarm-text', text: a.text}),
    el('p', {}, 'Since ', ago(a.since), `, with revision ${a.revision}`,
       a.insufficient_data ? '; too little traffic now to say whether it goes on' : '', '. ',
       el('b', {text: 'Cause: '}), DIAGNOSES[a.diagnosis] ?? a.diagnosis, '. ',
       a.balancer ? badge('bad', 'undoing a change can help') : badge('good', 'not the balancer')),
    evidence(a.evidence), heavy(a.evidence.heavy),
    a.changes.length ? el('div', {}, el('h4', {text: 'Changed just before'}), el('ul', {},
      a.changes.map((c) => el('li', {}, el('a', {href: `#/plan/${c.revision}`},
        `revision ${c.revision}`), ` by ${c.author}, `, ago(c.time),
        c.reason ? `: ${c.reason}` : '', c.summary ? ` (${c.summary})` : '')))) : null,
    a.health.length ? el('div', {}, el('h4', {text: 'Health just before'}), el('ul', {},
      a.health.map((h) => el('li', {}, `${h.name || h.server} of ${h.pool} ${h.to}, `, ago(h.time),
        `: ${h.cause}`)))) : null,
    a.undo ? el('p', {class: 'undo'}, el('b', {text: 'Undo: '}), command(a.undo, 'undo command'))
      : null,
    a.acknowledged
      ? el('p', {}, badge('quiet', 'Acknowledged', '✓'), ` by ${a.acknowledged.by}, `,
           ago(a.acknowledged.time))
      : el('p', {class: 'quiet'}, 'Nobody has acknowledged it: ',
           command(`evenkeel ack ${a.id}`, 'acknowledge command')),
  ];
}

function alarmCard(first) {
  const node = el('article', {class: `alarm ${first.severity}`, 'data-alarm': first.id});
  let key = '';
  return {node, update(a) {
    // Figures change every second; whoever reads or is about to copy must not be disturbed.
    const busy = node.contains(document.activeElement) || node.matches(':hover');
    const next = JSON.stringify(a);
    const rough = JSON.stringify([a.severity, a.undo, a.acknowledged, a.diagnosis]);
    if (next === key || (busy && node.ekRough === rough)) return;
    key = next;
    node.ekRough = rough;
    setClass(node, `alarm ${a.severity}`);
    const focused = node.contains(document.activeElement)
      ? document.activeElement.getAttribute('aria-label') : null;
    node.replaceChildren(...alarmContent(a).filter(Boolean));
    if (focused) node.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }};
}

let announced = '';
function showAlarms(data) {
  const box = byId('alarms');
  const items = data.alarms.length ? data.alarms : [null];
  sync(box, items, (a) => a?.id ?? '-', (a) => a ? alarmCard(a) : {
    node: el('p', {}, badge('good', 'No alarm is open')), update() {}});
  setText(byId('alarms-title'), data.alarms_total ? `Alarms (${data.alarms_total})` : 'Alarms');
  const key = data.alarms.map((a) => `${a.id} ${a.severity}`).sort().join('\n');
  if (key !== announced) {
    announce(data.alarms.length
      ? `${plural(data.alarms_total, 'alarm')}: ${data.alarms[0].severity}, ${data.alarms[0].text}`
      : 'No alarm is open any more');
  }
  announced = key;
}

// --- Pools

const RANKS = {
  'page': ['bad', 'page', '▲'], 'ticket': ['warn', 'ticket', '△'], 'broken': ['bad', 'uneven', '✕'],
  'panic': ['bad', 'panic', '!'], 'down': ['warn', 'servers down', '▼'],
  'no-spare': ['warn', 'no spare', '◇'], 'moving': ['move', 'moving', '↻'],
  'unknown': ['quiet', 'too little traffic', '?'], 'fine': ['good', 'even', '✓'],
};

// Counters as rates, between the last two answers that differ.
class Rates {
  constructor() {
    this.known = new Map();
  }
  of(key, counter, t) {
    const was = this.known.get(key);
    if (!was) {
      this.known.set(key, {counter, t, rate: null, seen: t});
      return null;
    }
    was.seen = t;
    if (t > was.t) {
      const per = (name) => (counter[name] - was.counter[name]) / ((t - was.t) / 1000);
      const rate = {flows: per('new_flows'), packets: per('packets'), bits: 8 * per('bytes')};
      // Less than before: a server left the pool, or its counter began anew.
      was.rate = Object.values(rate).some((value) => value < 0) ? null : rate;
      was.counter = counter;
      was.t = t;
    }
    return was.rate;
  }
  forget(t) {
    for (const [key, one] of this.known) if (one.seen < t - 60000) this.known.delete(key);
  }
}
const rates = new Rates();

function backendRows(pool, t) {
  const detail = pool.detail;
  const servers = new Map((detail.distribution?.servers ?? []).map((s) => [s.address, s]));
  const filter = ui.filter.toLowerCase();
  const has = (text) => text.toLowerCase().includes(filter);
  const whole = !filter || has(pool.name) ||
    pool.vips.some((vip) => has(vip.name) || has(vip.address));
  const rows = detail.backends.filter((b) => whole || has(b.name) || has(b.address)).map((b) => {
    const server = servers.get(b.address);
    const known = server?.sufficient;
    return {...b, observed: known ? server.flows : null, ratio: known ? server.ratio : null,
            rate: rates.of(`${pool.name}/${b.name}`, b.counter, t)};
  });
  const off = (row) => row.ratio === null ? 0 : row.ratio >= 1 ? row.ratio
    : 1 / Math.max(row.ratio, 0.01);
  const trouble = (a, b) => (stateOf(b)[0] === 'bad') - (stateOf(a)[0] === 'bad');
  const orders = {
    name: () => 0,
    skew: (a, b) => Math.floor(off(b) * 10) - Math.floor(off(a) * 10) || trouble(a, b),
    expected: (a, b) => b.share - a.share,
    observed: (a, b) => (b.observed ?? -1) - (a.observed ?? -1),
    flows: (a, b) => (b.rate?.flows ?? -1) - (a.rate?.flows ?? -1),
    health: (a, b) => trouble(a, b),
  };
  const names = new Intl.Collator('en', {numeric: true});
  return rows.sort((a, b) => orders[ui.backendSort](a, b) || names.compare(a.name, b.name));
}

function stateOf(b) {
  if (b.problem) return ['bad', 'unreachable'];
  if (b.health === 'down') return b.held ? ['bad', 'down, held'] : ['bad', 'down'];
  if (b.state !== 'enabled') return ['warn', b.state];
  if (b.admitted < 1) return ['move', `starting, ${percent(b.admitted, 0)}`];
  return b.health ? [b.health === 'up' ? 'good' : 'quiet', b.health] : ['quiet', 'not probed'];
}

const COLUMNS = [
  {label: 'Backend', sort: 'name'}, {label: 'State', sort: 'health'},
  {label: 'Expected', num: true, sort: 'expected'}, {label: 'Observed', num: true, sort: 'observed'},
  {label: 'Shares'}, {label: 'Skew', num: true, sort: 'skew'},
  {label: 'Flows/s', num: true, sort: 'flows'}, {label: 'Packets/s', num: true},
  {label: 'Bit/s', num: true},
];

function backendRow(made) {
  const cells = made.cells();
  const [name, state, expected, observed, bars, skew, flows, packets, bits] = cells;
  const address = el('span', {class: 'quiet address'});
  const title = el('span', {});
  name.append(title, ' ', address);
  const gauge = el('div', {class: 'gauge', 'aria-hidden': 'true'});
  const got = el('i', {class: 'got'}), want = el('i', {class: 'want'});
  gauge.append(got, want);
  bars.append(gauge);
  setAttr(bars, 'aria-hidden', 'true');  // the same numbers stand beside it
  let shownState = '';
  return {node: el('tr', {role: 'row'}, cells), update(row, top) {
    setText(title, row.name);
    setText(address, row.address);
    const [kind, word] = stateOf(row);
    if (shownState !== kind + word) {
      state.replaceChildren(badge(kind, word));
      shownState = kind + word;
    }
    setAttr(state, 'title', row.problem || row.health_cause || null);
    setText(expected, percent(row.share, 2));
    setText(observed, row.observed === null ? '–' : percent(row.observed, 2));
    got.style.width = `${100 * (row.observed ?? 0) / top}%`;
    want.style.left = `${100 * row.share / top}%`;
    const far = row.ratio !== null && (row.ratio >= 1.5 || row.ratio <= 1 / 1.5);
    setClass(gauge, far ? 'gauge far' : 'gauge');
    setText(skew, row.ratio === null ? '–' : times(row.ratio) + (far ? ' !' : ''));
    setClass(skew, far ? 'num far' : 'num');
    setText(flows, row.rate ? count(row.rate.flows) : '–');
    setText(packets, row.rate ? count(row.rate.packets) : '–');
    setText(bits, row.rate ? count(row.rate.bits) : '–');
  }};
}

function links(distribution) {
  const words = {'holds': 'good', 'broken': 'bad'};
  return el('ol', {class: 'chain'}, distribution.links.map((link) => el('li', {},
    badge(words[link.state] ?? 'quiet', `${link.link}: ${link.state.replace('-', ' ')}`),
    el('span', {class: 'quiet', text: ` ${link.detail}`}))));
}

const RANGES = [['5', '5 min'], ['15', '15 min'], ['60', '1 hour']];

class PoolDetail {
  constructor(name) {
    this.shares = new Shares(name);
    this.notes = el('div', {class: 'notes'});
    this.made = table(`Backends of pool ${name}: expected and observed shares`, COLUMNS,
      {onSort: (word) => { byId('backends-sort').value = ui.backendSort = word; refresh(); },
       hideCaption: true});
    this.range = el('select', {onchange: () => this.draw()},
      RANGES.map(([value, text]) => el('option', {value, text})));
    this.range.value = '15';
    this.chart = el('div', {});
    this.node = el('div', {class: 'detail'}, this.notes, this.made.node,
      el('div', {class: 'bar-line'}, el('h4', {text: 'Shares over time'}),
        el('label', {}, `Last `, this.range)), this.chart);
    this.name = name;
    this.noteKey = '';
  }
  update(pool, t) {
    const d = pool.detail;
    const rows = backendRows(pool, t);
    const top = Math.max(0.001, ...rows.map((row) => Math.max(row.share, row.observed ?? 0))) * 1.05;
    sync(this.made.body, rows, (row) => row.name, () => backendRow(this.made), top);
    this.made.showSort(ui.backendSort);
    const key = JSON.stringify([d.panic, d.no_spare, d.moving_slots, d.distribution?.text,
                                d.distribution?.links, d.domains,
                                d.backends.map((b) => [b.problem, b.health_cause])]);
    if (key === this.noteKey) return;
    this.noteKey = key;
    const open = this.notes.querySelector('details')?.open ?? false;
    const focused = this.notes.contains(document.activeElement);
    const notes = [];
    const report = d.distribution;
    if (report) {
      notes.push(el('p', {class: 'verdict'}, pool.not_the_balancer
        ? [badge('good', 'Not the balancer'), ' '] : null, report.text));
      notes.push(el('details', {open}, el('summary', {text: 'Evidence, link by link'}),
                    links(report)));
    } else {
      notes.push(el('p', {class: 'quiet', text: 'Its traffic is not looked at yet.'}));
    }
    if (d.panic) notes.push(el('p', {}, badge('bad', 'Panic'), ` ${d.panic}`));
    if (d.no_spare) notes.push(el('p', {}, badge('warn', 'No spare'), ` ${d.no_spare}`));
    if (d.moving_slots) {
      notes.push(el('p', {}, badge('move', `${plural(d.moving_slots, 'slot')} changing hands`),
                    ` of ${d.table_size}, for ${d.moving_seconds} s`));
    }
    const troubled = d.backends.filter((b) => b.problem || b.health === 'down').map((b) =>
      el('p', {}, badge('bad', b.name), ` ${b.problem || b.health_cause}`));
    if (troubled.length <= 3) notes.push(...troubled);
    else {
      notes.push(el('details', {open: this.notes.querySelector('details.troubled')?.open},
        el('summary', {text: `${troubled.length} backends cannot be reached or are down`}), troubled));
      notes.at(-1).classList.add('troubled');
    }
    if (d.domains.length) {
      notes.push(plainTable(`Racks and zones, ${d.capacity_unit} per second`,
        [{label: 'Place'}, {label: 'Carries', num: true}, {label: 'Capacity', num: true},
         {label: 'Hottest after its loss'}, {label: 'Use after its loss', num: true}],
        d.domains.map((o) => [`${o.kind} ${o.name}`, count(o.load),
          o.capacity === null ? '–' : count(o.capacity), o.hottest_after_loss || '–',
          percent(o.use_after_loss)])));
    }
    this.notes.replaceChildren(...notes);
    if (focused) this.notes.querySelector('summary')?.focus();
  }
  async refresh(get) {
    if (await this.shares.fetch(get)) this.draw();
    else if (!this.chart.firstChild) this.draw();
  }
  draw() {
    // Not what was before the first sample, but a minute at least.
    const first = Math.min(this.shares.segments[0]?.samples[0].t ?? now(), now() - 60e3);
    const from = Math.max(first, now() - Number(this.range.value) * 60e3);
    const mine = marks.filter((mark) => mark.pools.includes(this.name));
    this.chart.replaceChildren(panels(this.shares, {from, marks: mine}));
  }
}

function poolCard(first) {
  const name = first.name;
  const id = `pool-${name}`;
  const button = el('button', {
    type: 'button', class: 'fold', 'aria-expanded': 'false', 'aria-controls': id,
    onclick: () => {
      if (ui.open.has(name)) ui.open.delete(name); else ui.open.add(name);
      refresh();
    },
  }, name);
  const rank = el('span', {}), facts = el('span', {class: 'quiet'});
  const body = el('div', {id, hidden: true});
  const node = el('article', {class: 'pool', 'data-pool': name},
    el('div', {class: 'pool-head'}, el('h3', {}, button), rank, facts), body);
  let detail = null, shownRank = '';
  return {node, body, refresh: (get) => detail?.refresh(get), update(pool, t) {
    const [kind, word, sign] = RANKS[pool.rank];
    if (shownRank !== pool.rank) {
      rank.replaceChildren(badge(kind, word, sign));
      setAttr(node, 'data-rank', pool.rank);
      shownRank = pool.rank;
    }
    const rate = rates.of(`${name}`, pool.counter, t);
    const parts = [pool.vips.map((v) => `${v.address.includes(':') ? `[${v.address}]` : v.address}` +
      `:${v.port || '*'}/${v.protocol}` +
      (v.advertised && v.advertised !== 'yes' ? ` (not advertised: ${v.advertised})` : ''))
      .join(', ') || 'no VIP',
      plural(pool.backends, 'backend') + (pool.down ? `, ${pool.down} down` : '')];
    if (rate) parts.push(`${count(rate.flows)} flows/s, ${count(rate.bits)} bit/s`);
    if (pool.worst_ratio) parts.push(`worst ${pool.worst_backend} ${times(pool.worst_ratio)}`);
    else if (pool.worst_backend) parts.push(`${pool.worst_backend} gets nothing`);
    if (pool.moving_slots) parts.push(`${plural(pool.moving_slots, 'slot')} moving`);
    setText(facts, parts.join(' · '));
    const open = ui.open.has(name);
    setAttr(button, 'aria-expanded', String(open));
    body.hidden = !open;
    if (!open && detail) {
      detail = null;
      body.replaceChildren();
    }
    if (open && pool.detail) {
      if (!detail) body.append((detail = new PoolDetail(name)).node);
      detail.update(pool, t);
    }
  }};
}

let lastData = null;
function showPools(data) {
  const t = Date.parse(data.time);
  const box = byId('pools');
  const all = data.pools_matching === data.pools_total;
  setText(byId('pools-count'), `${plural(data.pools_total, 'pool')}, ` +
    `${plural(data.backends_total, 'backend')}` + (all ? '' : `; ${data.pools_matching} match`));
  sync(box, data.pools, (pool) => pool.name, poolCard, t);
  const more = byId('pools-more');
  const rest = data.pools_matching - data.pools.length;
  more.hidden = rest <= 0;
  setText(more, `Show more pools (${rest.toLocaleString('en')} more)`);
  rates.forget(t);
}

// Pools that are open at first: all of a few, else the worst.
function openFirst(data) {
  const worst = data.pools.filter((pool) => ['page', 'ticket', 'broken', 'panic'].includes(pool.rank));
  const few = data.pools_total <= 4 ? data.pools : worst.slice(0, 3);
  ui.open = new Set(few.map((pool) => pool.name));
  return ui.open.size > 0;
}

// True if it wants to be asked again at once.
export function show(data) {
  setDaemonTime(data.time);
  lastData = data;
  const again = ui.open === null && openFirst(data);
  showState(data);
  showPending(data.applied);
  showAlarms(data);
  showPools(data);
  return again;
}

export async function refreshCharts(get) {
  if (!lastData || byId('view-pools').hidden) return;
  const cards = byId('pools').ekChildren;
  for (const pool of lastData.pools) {
    if (ui.open.has(pool.name)) await cards.get(pool.name)?.refresh(get);
  }
}

export function start(askAgain) {
  refresh = askAgain;
  let timer = 0;
  byId('pools-filter').addEventListener('input', (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => { ui.filter = event.target.value.trim(); refresh(); }, 200);
  });
  byId('pools-sort').addEventListener('change', (event) => {
    ui.sort = event.target.value;
    refresh();
  });
  byId('backends-sort').addEventListener('change', (event) => {
    ui.backendSort = event.target.value;
    if (lastData) showPools(lastData);
  });
  byId('pools-more').addEventListener('click', () => {
    ui.limit = Math.min(500, ui.limit + LIMIT_STEP);
    refresh();
  });
}
