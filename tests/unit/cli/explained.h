// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_CLI_EXPLAINED_H_
#define EVENKEEL_TESTS_UNIT_CLI_EXPLAINED_H_

#include <linux/bpf.h>
#include <netinet/in.h>

#include "control/engine/explain.h"

namespace evenkeel::cli {

// A packet of a pinned connection in a slot that moves from web-2 to web-4: every stage says
// something.
inline engine::ExplainReport MovingReport() {
  const auto ip = [](const char* text) { return *model::IpAddress::Parse(text); };
  publish::Explanation e;
  e.flow = {.source = ip("198.51.100.7"),
            .destination = ip("192.0.2.10"),
            .source_port = 4711,
            .destination_port = 443,
            .ip_protocol = IPPROTO_TCP};
  e.vip = dataplane::VipKey{.address = ip("192.0.2.10"), .port = 443, .ip_protocol = IPPROTO_TCP};
  e.vip_name = e.pool = "web";
  e.rules = {{.set = "edge", .global = true, .prefix = "0.0.0.0/0"},
             {.set = "own", .prefix = "198.51.100.0/24"}};
  e.source_limit = publish::LimitAnswer{.limit = {.interval_ns = 10'000'000, .burst = 20}};
  e.hash = 0xdeadbeef;
  e.slot = 123;
  e.slots = 4099;
  e.spread_by = "flow";
  e.owner = {.id = 4, .name = "web-4", .address = ip("10.0.1.14"), .share = 0.25};
  e.previous = {.id = 2, .name = "web-2", .address = ip("10.0.1.12"), .share = 0.25};
  e.pin = dataplane::Pin{.flow = 0xdeadbeef, .backend = 4};
  e.pin_age = 5;
  e.pin_holds = true;
  e.choice = publish::Choice::kPin;
  e.backend = e.owner;
  e.method = EK_METHOD_IPIP4;
  e.next_hop = dataplane::NextHop{.ifindex = 3, .dmac = {2, 0, 0, 0, 1, 0x14}, .mtu = 1500};
  e.interface = "eth1";
  e.gateway = "10.0.0.1";
  e.outer_source = "172.16.1.2";
  e.outer_destination = "10.0.1.14";
  e.verdict = EK_FORWARD;
  e.action = XDP_REDIRECT;
  engine::ExplainReport report;
  report.result = {.published = true,
                   .generation = 3,
                   .revision = 41,
                   .published_unix_ns = 1'772'366'405'000'000'000,
                   .packets = {e}};
  report.revision = {.revision = 41,
                     .author = "alice",
                     .reason = "add web-4",
                     .ticket = "OPS-1234",
                     .created_unix_ns = 1'772'366'404'000'000'000};
  return report;
}

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_UNIT_CLI_EXPLAINED_H_
