// SPDX-License-Identifier: Apache-2.0
// Builds and updates the page. All text goes in as text: nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'text') node.textContent = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

export const el = (tag, props, ...children) =>
  fill(document.createElement(tag), props, children);
export const svg = (tag, props, ...children) =>
  fill(document.createElementNS(SVG, tag), props, children);
export const byId = (id) => document.getElementById(id);

// Only what changed, so that neither a selection nor a screen reader is disturbed.
export function setText(node, text) {
  const value = String(text);
  if (node.textContent !== value) node.textContent = value;
}
export function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}
export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

// One child of `parent` for each item, kept by key: {node, update(item, context)} from
// `create(item)`.
export function sync(parent, items, keyOf, create, context) {
  const kept = parent.ekChildren ?? (parent.ekChildren = new Map());
  const wanted = new Set();
  let after = null;
  for (const item of items) {
    const key = keyOf(item);
    wanted.add(key);
    let child = kept.get(key);
    if (!child) kept.set(key, child = create(item));
    child.update?.(item, context);
    const place = after ? after.nextSibling : parent.firstChild;
    // A node that is moved loses the focus.
    if (child.node !== place) {
      const focused = child.node.contains(document.activeElement) ? document.activeElement : null;
      parent.insertBefore(child.node, place);
      focused?.focus({preventScroll: true});
    }
    after = child.node;
  }
  for (const [key, child] of kept) {
    if (wanted.has(key)) continue;
    child.node.remove();
    kept.delete(key);
  }
}

export function announce(text) {
  setText(byId('announce'), text);
}

export function copyButton(text, what) {
  return el('button', {
    type: 'button', class: 'copy', 'aria-label': `Copy ${what}: ${text}`,
    onclick: async (event) => {
      const button = event.currentTarget;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = 'Copied';
        announce(`Copied: ${text}`);
      } catch {
        // Not allowed here: select it, so that the keyboard can copy it.
        getSelection().selectAllChildren(button.previousElementSibling);
        button.textContent = 'Selected';
        announce('Selected; press Control and C to copy');
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    },
  }, 'Copy');
}

export const command = (text, what) =>
  el('span', {class: 'command'}, el('code', {text}), copyButton(text, what));

// A table that stays one for screen readers where a narrow screen shows it as blocks. Columns:
// {label, num, sort, grow}; `onSort` gets the sort word of the button that was pressed.
export function table(caption, columns, {onSort, hideCaption = false} = {}) {
  const heads = columns.map((column) => el('th', {
    scope: 'col', role: 'columnheader', class: column.num ? 'num' : undefined,
  }, column.sort && onSort
    ? el('button', {type: 'button', class: 'sort', onclick: () => onSort(column.sort)}, column.label)
    : column.label));
  const body = el('tbody', {role: 'rowgroup'});
  const node = el('table', {role: 'table'},
    el('caption', {class: hideCaption ? 'hidden' : undefined, text: caption}),
    el('thead', {role: 'rowgroup'}, el('tr', {role: 'row'}, heads)), body);
  const cells = () => columns.map((column, i) => el(i === 0 ? 'th' : 'td', {
    role: i === 0 ? 'rowheader' : 'cell', scope: i === 0 ? 'row' : undefined,
    class: column.num ? 'num' : undefined, 'data-label': column.label,
  }));
  const showSort = (word) => columns.forEach((column, i) => {
    if (!column.sort) return;
    setAttr(heads[i], 'aria-sort', column.sort === word
      ? (column.sort === 'name' ? 'ascending' : 'descending') : null);
  });
  return {node, body, cells, showSort};
}

// A table whose rows do not change.
export function plainTable(caption, columns, rows, options) {
  const made = table(caption, columns, options);
  for (const row of rows) {
    const cells = made.cells();
    row.forEach((content, i) => cells[i].append(...[content].flat(Infinity)
      .filter((part) => part !== null && part !== undefined)));
    made.body.append(el('tr', {role: 'row'}, cells));
  }
  return made.node;
}

// A word with a sign of its own, so that its colour is not all that tells it.
const SIGNS = {good: '✓', warn: '△', bad: '▲', quiet: '·', move: '↻'};
export const badge = (kind, text, sign) =>
  el('span', {class: `badge ${kind}`}, el('span', {'aria-hidden': 'true'}, `${sign ?? SIGNS[kind]} `),
     text);
