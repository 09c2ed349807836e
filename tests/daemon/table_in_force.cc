// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/table_in_force.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "bpf/abi/maps.h"
#include "control/dataplane/unique_fd.h"
#include "tests/harness/packet/packet.h"
#include "tests/harness/prog_runner/prog_runner.h"

namespace evenkeel::testing {
namespace {

using dataplane::UniqueFd;

constexpr uint16_t kFlows = 64;

UniqueFd OpenPin(const std::string& pin_dir, const std::string& name) {
  UniqueFd fd(bpf_obj_get((pin_dir + "/" + name).c_str()));
  EXPECT_TRUE(fd.valid()) << name;
  return fd;
}

template <typename Value>
Value Lookup(const UniqueFd& map, const void* key) {
  Value value{};
  EXPECT_EQ(bpf_map_lookup_elem(map.get(), key, &value), 0);
  return value;
}

UniqueFd OpenInner(const std::string& pin_dir, const std::string& outer, uint32_t index) {
  return UniqueFd(bpf_map_get_fd_by_id(Lookup<uint32_t>(OpenPin(pin_dir, outer), &index)));
}

// Of the generation in force.
ek_vip ReadVip(const std::string& pin_dir) {
  const uint32_t zero = 0;
  const auto control = Lookup<ek_control>(OpenPin(pin_dir, "map_ek_control"), &zero);
  EXPECT_NE(control.active, EK_ACTIVE_NONE);
  const UniqueFd vips =
      OpenInner(pin_dir, "map_ek_vips4", control.active & EK_ACTIVE_GENERATION_MASK);
  ek_vip_key4 key{}, next{};
  for (bool first = true; bpf_map_get_next_key(vips.get(), first ? nullptr : &key, &next) == 0;
       first = false) {
    key = next;
    const auto vip = Lookup<ek_vip>(vips, &key);
    if (!(vip.flags & EK_VIP_ADDRESS)) return vip;
  }
  ADD_FAILURE() << "no VIP is in force";
  return {};
}

}  // namespace

std::vector<uint32_t> ReadTableInForce(const std::string& pin_dir) {
  const ek_vip vip = ReadVip(pin_dir);
  const UniqueFd table = OpenInner(pin_dir, "map_ek_tables", vip.table);
  std::vector<uint32_t> servers;
  for (uint32_t line = 0; line < EK_SLOT_LINES(vip.table_size); ++line) {
    const auto slots = Lookup<ek_line>(table, &line);
    for (const uint32_t slot : slots.slot) {
      if (servers.size() == vip.table_size) break;
      const uint32_t at = EK_BACKEND_LINE(vip.table_size, EK_SLOT_OWNER(slot));
      const auto owner = Lookup<ek_line>(table, &at);
      servers.push_back(owner.backend.method == EK_METHOD_IPIP4 ? owner.backend.outer.v4.dst : 0);
    }
  }
  return servers;
}

std::set<uint32_t> ServersOfFlows(const std::string& pin_dir, const std::string& address,
                                  uint16_t port) {
  constexpr size_t kOuterProtocolAt = 23, kOuterDestinationAt = 30;
  constexpr uint8_t kIpip = 4;
  const UniqueFd program = OpenPin(pin_dir, "balancer");
  std::set<uint32_t> servers;
  for (uint16_t flow = 0; flow < kFlows; ++flow) {
    Packet packet;
    packet.dst = address;
    packet.dport = port;
    packet.sport = static_cast<uint16_t>(20000 + flow);
    const RunResult result = RunProgram(program.get(), Build(packet));
    uint32_t server = 0;
    const bool forwarded = result.action == XDP_TX || result.action == XDP_REDIRECT;
    if (result.error == 0 && forwarded && result.frame[kOuterProtocolAt] == kIpip) {
      std::memcpy(&server, result.frame.data() + kOuterDestinationAt, sizeof(server));
    }
    servers.insert(server);
  }
  return servers;
}

}  // namespace evenkeel::testing
