// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_EXPLAIN_REPORT_H_
#define EVENKEEL_CONTROL_CLI_EXPLAIN_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/cli/printer.h"
#include "control/engine/explain.h"

namespace evenkeel::cli {

// Name and meaning of a verdict, as in bpf/abi/verdict.h.
std::string_view VerdictName(ek_verdict verdict);
std::string_view VerdictText(ek_verdict verdict);

// "192.0.2.10:443/tcp"; port 0: every port.
std::string EndpointText(const model::IpAddress& address, uint16_t port, uint8_t ip_protocol);
// "generation 3, published ...", "revision 41 by alice, ...".
std::string GenerationText(const engine::ExplainReport& report, int64_t now_unix_ns);
std::string RevisionText(const engine::ExplainReport& report);

// One line for each decision, in their order, up to the one that ended it.
void PrintExplanation(Printer& out, const engine::ExplainReport& report,
                      const publish::Explanation& packet, int64_t now_unix_ns);

// "generation", "published_at", "digest", "revision" of a document.
void AddGeneration(const engine::ExplainReport& report, nlohmann::ordered_json* document);
nlohmann::ordered_json ToJson(const publish::Explanation& packet);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_EXPLAIN_REPORT_H_
