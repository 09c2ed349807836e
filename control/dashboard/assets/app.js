// SPDX-License-Identifier: Apache-2.0
// Asks the daemon once a second and shows the answer. Nothing here changes anything.
import {badge, byId, setAttr, setText} from './dom.js';
import {clock, span, tickTimes} from './format.js';
import * as overview from './overview.js';
import * as past from './past.js';
import * as plan from './plan.js';

const POLL_MS = 1000, TIMEOUT_MS = 5000, STALE_MS = 3500;
let paused = false, timer = 0, asking = false, again = false, answeredAt = 0, problem = '';

async function getJson(url) {
  const response = await fetch(url, {signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store'});
  if (!response.ok) {
    throw new Error((await response.text()).trim() || `the daemon answers ${response.status}`);
  }
  return response.json();
}

async function ask() {
  clearTimeout(timer);
  if (asking) {
    again = true;  // what is asked for has changed meanwhile
    return;
  }
  asking = true;
  const began = performance.now();
  try {
    const data = await getJson(overview.overviewUrl());
    answeredAt = Date.now();
    problem = '';
    try {
      again = overview.show(data) || again;
    } catch (error) {
      console.error(error);  // a fault of this page, not of the daemon
    }
    await past.follow(data.history_mark);
    await overview.refreshCharts(getJson);
    await past.refreshOpen();
  } catch (error) {
    problem = error.name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS / 1000} s`
      : error.message;
  }
  asking = false;
  showLink();
  if (again) {
    again = false;
    ask();
  } else if (!paused && !document.hidden) {
    timer = setTimeout(ask, Math.max(100, POLL_MS - (performance.now() - began)));
  }
}

let shownLink = '';
function showLink() {
  const old = Date.now() - answeredAt > STALE_MS;
  const stale = !paused && !document.hidden && (problem !== '' || (old && answeredAt !== 0));
  const state = paused ? 'paused' : stale ? 'stale' : answeredAt ? 'live' : 'asking';
  if (state !== shownLink) {
    shownLink = state;
    const kinds = {paused: 'warn', stale: 'bad', live: 'good', asking: 'quiet'};
    byId('link').replaceChildren(badge(kinds[state], state));
    document.documentElement.dataset.link = state;
    const banner = byId('stale');
    banner.hidden = !stale;
    if (stale) {
      // Once, not every second: it is read aloud.
      setText(banner, (answeredAt
        ? `The daemon has not answered since ${clock(answeredAt)} UTC; what is shown is of then. `
        : 'The daemon does not answer. ') + `(${problem || 'no answer'}) Trying again.`);
    }
  }
  setAttr(byId('link'), 'title', answeredAt ? `last answer ${span(Date.now() - answeredAt)} ago`
    : null);
}

const VIEWS = ['pools', 'history', 'plan'];
function route() {
  const [, view = 'pools', which = ''] = location.hash.split('/');
  const shown = VIEWS.includes(view) ? view : 'pools';
  document.documentElement.dataset.view = shown;
  for (const name of VIEWS) {
    byId(`view-${name}`).hidden = name !== shown;
    setAttr(byId(`nav-${name}`), 'aria-current', name === shown ? 'page' : null);
  }
  if (shown === 'plan' && which) plan.openRecorded(decodeURIComponent(which));
  if (shown === 'history') past.loadHealth().catch(() => {});
}

function start() {
  overview.start(ask);
  past.start(getJson, overview.setMarks);
  plan.start(getJson);
  byId('pause').addEventListener('click', () => {
    paused = !paused;
    setAttr(byId('pause'), 'aria-pressed', String(paused));
    setText(byId('pause'), paused ? 'Go on' : 'Pause');
    showLink();
    if (paused) clearTimeout(timer); else ask();
  });
  const theme = byId('theme');
  theme.value = document.documentElement.dataset.theme;
  theme.addEventListener('change', () => {
    document.documentElement.dataset.theme = theme.value;
    try {
      localStorage.setItem('evenkeel.theme', theme.value);
    } catch {
      // It lasts as long as the page.
    }
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && !paused) ask();
  });
  window.addEventListener('hashchange', () => {
    route();
    if (!location.hash.startsWith('#/plan/')) window.scrollTo(0, 0);
  });
  // The skip link must not be taken for a view.
  document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    byId('main').focus();
  });
  setInterval(() => {
    tickTimes();
    overview.tickCountdown();
    showLink();
  }, 1000);
  route();
  ask();
}

start();
