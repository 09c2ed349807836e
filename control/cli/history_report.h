// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_HISTORY_REPORT_H_
#define EVENKEEL_CONTROL_CLI_HISTORY_REPORT_H_

#include <vector>

#include "control/cli/printer.h"
#include "control/history/history.h"

namespace evenkeel::cli {

void PrintRevisions(Printer& out, const std::vector<history::Revision>& revisions,
                    int64_t now_unix_ns);
// One with its whole verdict: every rule that spoke, and the shares before and after.
void PrintRevision(Printer& out, const history::Revision& revision, int64_t now_unix_ns);

void PrintHealthChanges(Printer& out, const std::vector<history::HealthChange>& changes,
                        int64_t now_unix_ns);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_HISTORY_REPORT_H_
