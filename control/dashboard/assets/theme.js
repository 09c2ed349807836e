// SPDX-License-Identifier: Apache-2.0
// Before anything is drawn: the colours that were chosen last.
'use strict';
try {
  document.documentElement.dataset.theme = localStorage.getItem('evenkeel.theme') || 'auto';
} catch {
  document.documentElement.dataset.theme = 'auto';  // a browser that keeps nothing
}
