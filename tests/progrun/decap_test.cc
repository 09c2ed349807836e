// SPDX-License-Identifier: Apache-2.0
//
// The decapsulating program: what the balancer sends comes out as it went in, one hop older.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "bpf/abi/decap.h"

#include "bpf/decap.skel.h"  // needs the layouts of bpf/abi/decap.h
#include "tests/harness/packet/oracle.h"
#include "tests/harness/prog_runner/prog_runner.h"

namespace evenkeel::testing {
namespace {

constexpr uint64_t kHash = 0x0123456789abcdef;

struct Case {
  std::string name;
  Packet packet;
  Method method;
};

class Decap : public ::testing::Test {
 protected:
  void SetUp() override { Load(false); }

  void Load(bool check_source, uint16_t gue_port = 6080) {
    EK_NEED_KERNEL();
    skeleton_.reset(ek_decap__open());
    ASSERT_NE(skeleton_, nullptr);
    skeleton_->rodata->ek_decap_config.check_source = check_source;
    skeleton_->rodata->ek_decap_config.gue_port = htons(gue_port);
    ASSERT_EQ(ek_decap__load(skeleton_.get()), 0);
    Put(skeleton_->maps.ek_local4, AddressBytes("10.0.1.11"));
    Put(skeleton_->maps.ek_local6, AddressBytes("fd00:1::11"));
  }

  void AllowSource(const std::string& address, uint32_t length) {
    Bytes key(4);
    std::memcpy(key.data(), &length, 4);
    Append(key, AddressBytes(address));
    Put(key.size() == 8 ? skeleton_->maps.ek_sources4 : skeleton_->maps.ek_sources6, key);
  }

  // Every frame must reach the host: as `expected`, under exactly one count.
  void Expect(const Bytes& frame, const Bytes& expected, ek_decap_verdict verdict) {
    std::vector<uint64_t> counts = Counts();
    const RunResult result = RunProgram(bpf_program__fd(skeleton_->progs.ek_decap), frame);
    ASSERT_EQ(result.error, 0);
    EXPECT_EQ(result.action, XDP_PASS);
    EXPECT_EQ(result.frame, expected);
    ++counts[verdict];
    EXPECT_EQ(Counts(), counts);
  }
  void ExpectUntouched(const Bytes& frame, ek_decap_verdict verdict) {
    Expect(frame, frame, verdict);
  }

 private:
  struct Closer {
    void operator()(ek_decap* skeleton) const { ek_decap__destroy(skeleton); }
  };

  static void Put(const bpf_map* map, const Bytes& key) {
    const uint8_t present = 1;
    ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(map), key.data(), &present, BPF_ANY), 0);
  }

  std::vector<uint64_t> Counts() {
    std::vector<uint64_t> totals(EK_DECAP_COUNT);
    std::vector<uint64_t> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
    for (uint32_t i = 0; i < EK_DECAP_COUNT; ++i) {
      const int fd = bpf_map__fd(skeleton_->maps.ek_decap_stats);
      EXPECT_EQ(bpf_map_lookup_elem(fd, &i, per_cpu.data()), 0);
      for (const uint64_t packets : per_cpu) totals[i] += packets;
    }
    return totals;
  }

  std::unique_ptr<ek_decap, Closer> skeleton_;
};

Packet Six() {
  Packet packet;
  packet.src = "2001:db8:ffff::7";
  packet.dst = "2001:db8::10";
  return packet;
}

Backend Via(Method method) {
  Backend backend;
  backend.method = method;
  const bool v6 = method == Method::kIpip6 || method == Method::kGue6;
  backend.address = v6 ? "fd00:1::11" : "10.0.1.11";
  backend.source = v6 ? "fd00:ffff:1:2::" : "172.16.0.0";
  backend.hop.dmac = {2, 0, 0, 0, 0, 0x11};
  backend.hop.smac = {2, 0, 0, 0, 0, 0x22};
  return backend;
}

Bytes Tunnelled(const Packet& packet, Method method) {
  return ExpectedFrame(Build(packet), Via(method), kHash);
}

// What L2 forwarding would have delivered: the same packet, aged by one hop.
Bytes Inner(const Packet& packet, Method method) {
  Backend direct = Via(method);
  direct.method = Method::kL2;
  return ExpectedFrame(Build(packet), direct, kHash);
}

class DecapTunnel : public Decap, public ::testing::WithParamInterface<Case> {};
TEST_P(DecapTunnel, GivesBackTheInnerPacket) {
  const Case& c = GetParam();
  Expect(Tunnelled(c.packet, c.method), Inner(c.packet, c.method), EK_DECAP_DONE);
}

Packet Jumbo() {
  Packet packet;
  packet.payload = 8000;
  return packet;
}

Packet Padded() {
  Packet packet;
  packet.payload = 0;
  packet.padding = 30;
  return packet;
}

INSTANTIATE_TEST_SUITE_P(All, DecapTunnel,
                         ::testing::Values(Case{"ip4_in_ip4", {}, Method::kIpip4},
                                           Case{"ip4_in_ip6", {}, Method::kIpip6},
                                           Case{"ip6_in_ip6", Six(), Method::kIpip6},
                                           Case{"jumbo", Jumbo(), Method::kIpip4},
                                           Case{"padding", Padded(), Method::kIpip4},
                                           Case{"ip4_in_gue4", {}, Method::kGue4},
                                           Case{"ip4_in_gue6", {}, Method::kGue6},
                                           Case{"ip6_in_gue6", Six(), Method::kGue6},
                                           Case{"gue_jumbo", Jumbo(), Method::kGue4},
                                           Case{"gue_padding", Padded(), Method::kGue4}),
                         [](const auto& param) { return param.param.name; });

TEST_F(Decap, OuterOptionsAreRemovedToo) {
  Bytes frame = Tunnelled({}, Method::kIpip4);
  frame[kEthernetLength] = 0x46;
  frame.insert(frame.begin() + 34, 4, 1);
  Put16(frame, 16, static_cast<uint16_t>(Get16(frame, 16) + 4));
  Expect(frame, Inner({}, Method::kIpip4), EK_DECAP_DONE);
}

TEST_F(Decap, OtherTrafficIsUntouched) {
  ExpectUntouched(Build({}), EK_DECAP_PASS_OTHER);
  ExpectUntouched(Build(Six()), EK_DECAP_PASS_OTHER);
  Packet arp;
  arp.ether_type = 0x0806;
  ExpectUntouched(Build(arp), EK_DECAP_PASS_OTHER);
}

TEST_F(Decap, TunnelForAnotherHostIsUntouched) {
  Bytes frame = Tunnelled({}, Method::kIpip4);
  frame[33] ^= 1;
  ExpectUntouched(frame, EK_DECAP_PASS_OTHER);
  Bytes six = Tunnelled(Six(), Method::kIpip6);
  six[kEthernetLength + 39] ^= 1;
  ExpectUntouched(six, EK_DECAP_PASS_OTHER);
}

TEST_F(Decap, Ipv6InIpv4IsNotOurs) {
  Bytes frame = Tunnelled({}, Method::kIpip4);
  frame[kEthernetLength + 9] = 41;
  ExpectUntouched(frame, EK_DECAP_PASS_OTHER);
}

constexpr size_t kUdp4 = kEthernetLength + 20, kUdp6 = kEthernetLength + 40;

// The host's other UDP traffic is no tunnel, whoever sends it.
TEST_F(Decap, OtherUdpIsTheHosts) {
  Load(true);
  Bytes frame = Tunnelled({}, Method::kGue4);
  Put16(frame, kUdp4 + 2, 6081);
  ExpectUntouched(frame, EK_DECAP_PASS_OTHER);
  Bytes six = Tunnelled(Six(), Method::kGue6);
  Put16(six, kUdp6 + 2, 53);
  ExpectUntouched(six, EK_DECAP_PASS_OTHER);
  Bytes fragment = frame;
  Put16(fragment, kEthernetLength + 6, 0x2000);
  ExpectUntouched(fragment, EK_DECAP_PASS_OTHER);
  ExpectUntouched(Tunnelled({}, Method::kGue4), EK_DECAP_PASS_SOURCE);
}

TEST_F(Decap, GueIsTakenOnItsPortOnly) {
  Load(false, 7000);
  ExpectUntouched(Tunnelled({}, Method::kGue4), EK_DECAP_PASS_OTHER);
  Bytes frame = Tunnelled({}, Method::kGue4);
  Put16(frame, kUdp4 + 2, 7000);
  Expect(frame, Inner({}, Method::kGue4), EK_DECAP_DONE);
  Load(false, 0);
  ExpectUntouched(Tunnelled({}, Method::kGue4), EK_DECAP_PASS_OTHER);
  ExpectUntouched(Tunnelled(Six(), Method::kGue6), EK_DECAP_PASS_OTHER);
  Expect(Tunnelled({}, Method::kIpip4), Inner({}, Method::kIpip4), EK_DECAP_DONE);
}

TEST_F(Decap, OtherVariantsOfGueAreTheHosts) {
  Bytes frame = Tunnelled({}, Method::kGue4);
  frame[kUdp4 + 8] = 0x00;  // variant 0
  ExpectUntouched(frame, EK_DECAP_PASS_OTHER);
}

TEST_F(Decap, FalseLengthsOfGueAreTheHosts) {
  const Bytes good = Tunnelled({}, Method::kGue4);
  const auto with = [&](size_t at, uint16_t value) {
    Bytes frame = good;
    Put16(frame, at, value);
    return frame;
  };
  const uint16_t length = Get16(good, kUdp4 + 4);
  ExpectUntouched(with(kUdp4 + 4, 7), EK_DECAP_PASS_MALFORMED);
  ExpectUntouched(with(kUdp4 + 4, static_cast<uint16_t>(length + 1)), EK_DECAP_PASS_MALFORMED);
  ExpectUntouched(with(kUdp4 + 4, static_cast<uint16_t>(length - 1)), EK_DECAP_PASS_MALFORMED);
  ExpectUntouched(with(kUdp4 + 10, 0x4000), EK_DECAP_PASS_MALFORMED);  // inner length
  for (size_t cut = kMinRunLength; cut < good.size(); ++cut) {
    SCOPED_TRACE(cut);
    ExpectUntouched(Bytes(good.begin(), good.begin() + static_cast<long>(cut)),
                    cut < kUdp4 + 9 ? EK_DECAP_PASS_OTHER : EK_DECAP_PASS_MALFORMED);
  }
}

TEST_F(Decap, FragmentsAreTheHosts) {
  Bytes frame = Tunnelled({}, Method::kIpip4);
  Put16(frame, kEthernetLength + 6, 0x2000);
  ExpectUntouched(frame, EK_DECAP_PASS_FRAGMENT);
}

TEST_F(Decap, FalseLengthsAreTheHosts) {
  const Bytes good = Tunnelled({}, Method::kIpip4);
  const auto with = [&](size_t at, uint8_t value) {
    Bytes frame = good;
    frame[at] = value;
    return frame;
  };
  ExpectUntouched(with(14, 0x44), EK_DECAP_PASS_MALFORMED);  // outer ihl
  ExpectUntouched(with(14, 0x65), EK_DECAP_PASS_MALFORMED);  // outer version
  ExpectUntouched(with(17, 19), EK_DECAP_PASS_MALFORMED);    // outer length below its header
  ExpectUntouched(with(34, 0x65), EK_DECAP_PASS_MALFORMED);  // inner version
  ExpectUntouched(with(34, 0x44), EK_DECAP_PASS_MALFORMED);  // inner ihl
  ExpectUntouched(with(36, 0x40), EK_DECAP_PASS_MALFORMED);  // inner length beyond the outer
  ExpectUntouched(with(37, 19), EK_DECAP_PASS_MALFORMED);    // inner length below its header
}

TEST_F(Decap, CutFramesAreTheHosts) {
  for (const Method method : {Method::kIpip4, Method::kIpip6}) {
    const Packet packet = method == Method::kIpip4 ? Packet{} : Six();
    const Bytes whole = Tunnelled(packet, method);
    const size_t outer = kEthernetLength + (method == Method::kIpip4 ? 20 : 40);
    for (size_t length = kMinRunLength; length < whole.size(); ++length) {
      SCOPED_TRACE(length);
      ExpectUntouched(Bytes(whole.begin(), whole.begin() + static_cast<long>(length)),
                      length < outer ? EK_DECAP_PASS_OTHER : EK_DECAP_PASS_MALFORMED);
    }
  }
}

TEST_F(Decap, OnlyAllowedSources) {
  Load(true);
  ExpectUntouched(Tunnelled({}, Method::kIpip4), EK_DECAP_PASS_SOURCE);
  ExpectUntouched(Tunnelled(Six(), Method::kIpip6), EK_DECAP_PASS_SOURCE);
  AllowSource("10.0.0.0", 8);
  ExpectUntouched(Tunnelled({}, Method::kIpip4), EK_DECAP_PASS_SOURCE);
  AllowSource("172.16.0.0", 12);
  AllowSource("fd00:ffff::", 32);
  Expect(Tunnelled({}, Method::kIpip4), Inner({}, Method::kIpip4), EK_DECAP_DONE);
  Expect(Tunnelled(Six(), Method::kIpip6), Inner(Six(), Method::kIpip6), EK_DECAP_DONE);
}

}  // namespace
}  // namespace evenkeel::testing
