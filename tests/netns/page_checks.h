// SPDX-License-Identifier: Apache-2.0
//
// Whether a page can be used by a keyboard, read aloud, and seen: each finding fails the test.
#ifndef EVENKEEL_TESTS_NETNS_PAGE_CHECKS_H_
#define EVENKEEL_TESTS_NETNS_PAGE_CHECKS_H_

#include <string>

#include "webdriver.h"

namespace evenkeel::testing {

// Tab gets to everything that can be operated, and each shows that it has the focus.
void CheckTabOrder(WebDriver& page);
// Presses Tab until what `css` finds first has the focus.
void FocusByTab(WebDriver& page, const std::string& css);
// What can be operated, and tables, pictures and regions, have names in the accessibility tree.
void CheckNames(WebDriver& page, const std::string& view);
// WCAG 2.2, 1.4.3, of all text, in each of the two colour schemes; and the scheme follows the
// system unless one was chosen.
void CheckColours(WebDriver& page, const std::string& view);
// WCAG 2.2, 1.4.10: at 320 pixels nothing has to be scrolled sideways.
void CheckNarrow(WebDriver& page, const std::string& view);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_NETNS_PAGE_CHECKS_H_
