// SPDX-License-Identifier: Apache-2.0
//
// Sets of source rules in the real kernel: what is put in is what is read back, it cannot be
// changed any more, and a million prefixes fit.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>

#include "control/dataplane/unique_fd.h"
#include "control/publish/probe.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/map_dump.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// `count` distinct prefixes, as block lists have them: networks and hosts, a part of them IPv6.
model::SourceRules RandomList(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<model::Prefix> prefixes;
  while (prefixes.size() < count) {
    for (size_t i = prefixes.size(); i < count; ++i) {
      const uint32_t bits = static_cast<uint32_t>(random());
      const auto byte = [&](int shift) { return static_cast<uint8_t>(bits >> shift); };
      if (i % 8 == 7) {
        const std::array<uint8_t, 16> bytes = {0x20,     0x01,     0x0d,    0xb8,
                                               byte(24), byte(16), byte(8), byte(0)};
        prefixes.push_back(model::Prefix::Of(model::IpAddress::FromIpv6(bytes),
                                             static_cast<uint8_t>(48 + random() % 17)));
      } else {
        prefixes.push_back(
            model::Prefix::Of(model::IpAddress::FromIpv4({static_cast<uint8_t>(1 + byte(24) % 190),
                                                          byte(16), byte(8), byte(0)}),
                              static_cast<uint8_t>(random() % 2 ? 32 : 20 + random() % 12)));
      }
    }
    std::sort(prefixes.begin(), prefixes.end());
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  }
  model::SourceRules rules = MakeRules("big", {});
  rules.deny = std::move(prefixes);
  return rules;
}

class RulesKernelTest : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped()) return;
    kernel_ = OpenSmall(dir_.path());
    ASSERT_NE(kernel_, nullptr);
  }
  ScopedPinDir dir_;
  std::unique_ptr<dataplane::KernelDataPlane> kernel_;
};

TEST_F(RulesKernelTest, AreReadBackAsTheyWereStaged) {
  model::SourceRules few = MakeRules("few", {"203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8"},
                                     {"10.1.0.0/16", "2001:db8:1::/48", "255.255.255.255/32"});
  model::SourceRules closed = MakeRules("closed", {});
  closed.fallback = model::SourceAction::kDeny;
  uint32_t id = 1;
  for (const model::SourceRules& rules :
       {few, closed, MakeRules("none", {}), RandomList(5000, 1)}) {
    const auto list = guard::ListOf(rules);
    ASSERT_TRUE(kernel_->StageRules(id, list).ok());
    const auto read = kernel_->RulesDigest(id);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->ToHex(), guard::ComputeRulesDigest(list).ToHex()) << rules.name;
    EXPECT_TRUE(absl::IsFailedPrecondition(kernel_->StageRules(id, list)));
    ++id;
  }
  EXPECT_EQ(kernel_->ListRules()->size(), 4u);
  const std::vector<uint32_t> ids = {1, 3, 900};
  ASSERT_TRUE(kernel_->DropRules(ids).ok());
  EXPECT_EQ(*kernel_->ListRules(), (std::vector<uint32_t>{2, 4}));
  EXPECT_TRUE(absl::IsNotFound(kernel_->RulesDigest(1).status()));
  EXPECT_FALSE(kernel_->StageRules(0, guard::ListOf(few)).ok());
  EXPECT_FALSE(kernel_->StageRules(EK_MAX_RULE_SETS, guard::ListOf(few)).ok());
}

TEST_F(RulesKernelTest, CannotBeChanged) {
  ASSERT_TRUE(kernel_->StageRules(1, guard::ListOf(MakeRules("x", {"10.0.0.0/8"}))).ok());
  for (const auto& [place, id] : ListInnerMaps(dir_.path())) {
    if (place.find("ek_rules4") == std::string::npos) continue;
    const dataplane::UniqueFd trie(bpf_map_get_fd_by_id(id));
    ASSERT_TRUE(trie.valid());
    const ek_prefix4 key{.len = 0, .addr = 0};
    const uint32_t deny = EK_SOURCE_DENY;
    EXPECT_EQ(bpf_map_update_elem(trie.get(), &key, &deny, BPF_ANY), -EPERM);
    EXPECT_EQ(bpf_map_delete_elem(trie.get(), &key), -EPERM);
    return;
  }
  FAIL() << "no trie found";
}

TEST_F(RulesKernelTest, WorkAndAreAdopted) {
  FakeResolver resolver;
  model::Config config = MakeConfig(2, 4);
  config.source_rules = {MakeRules("edge", {"203.0.113.0/24"}), RandomList(1000, 2)};
  config.global_source_rules = "edge";
  config.vips[0].source_rules = "big";
  const Judged first = Judge(config, nullptr);
  ASSERT_TRUE(first.approval) << first.refusal;
  uint16_t set = 0;
  {
    publish::Publisher publisher(kernel_.get(), &resolver, kTestKey);
    ASSERT_TRUE(publisher.Adopt(nullptr).ok());
    auto result = publisher.Publish(*first.approval, 1);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(publisher.ReadKernelState()->digest.ToHex(), first.fleet->digest.ToHex());
    set = kernel_->ReadActive()->image.vips[0].rules;
    EXPECT_NE(set, 0);
    const uint32_t id = set;
    EXPECT_TRUE(absl::IsFailedPrecondition(kernel_->DropRules({&id, 1})));
  }
  kernel_.reset();
  kernel_ = OpenSmall(dir_.path());
  ASSERT_NE(kernel_, nullptr);
  publish::Publisher publisher(kernel_.get(), &resolver, kTestKey);
  auto report = publisher.Adopt(first.fleet);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->state, publish::AdoptReport::State::kMatches) << report->message;
  config.pools[1].backends[0].weight = 50;
  const Judged second = Judge(config, first.fleet);
  ASSERT_TRUE(publisher.Publish(*second.approval, 2).ok());
  EXPECT_EQ(kernel_->ReadActive()->image.vips[0].rules, set);
}

// Memory of the kernel's that is not given back, in MB.
double KernelMemory() {
  constexpr std::string_view kName = "SUnreclaim:";
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with(kName)) return std::stod(line.substr(kName.size())) / 1024;
  }
  return 0;
}

// Nanoseconds that a denied packet takes, over some of the prefixes: it is not changed, and so can
// be repeated.
double DeniedPacketCost(const std::string& pin_dir, const model::SourceRules& rules) {
  const dataplane::UniqueFd program(bpf_obj_get((pin_dir + "/balancer").c_str()));
  double total = 0;
  int count = 0;
  for (size_t i = 0; count < 200; i += 997) {
    const model::Prefix& prefix = rules.deny[i % rules.deny.size()];
    if (!prefix.address.is_ipv4()) continue;
    const std::vector<uint8_t> frame = publish::BuildFrame({.source = prefix.address,
                                                            .destination = Ip("192.0.2.1"),
                                                            .source_port = 1234,
                                                            .destination_port = 443,
                                                            .ip_protocol = 6});
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = 10000);
    EXPECT_EQ(bpf_prog_test_run_opts(program.get(), &run), 0);
    EXPECT_EQ(run.retval, static_cast<uint32_t>(XDP_DROP)) << prefix.ToString();
    total += run.duration;
    ++count;
  }
  return total / count;
}

// Figures to read, not to fail by: another build may run beside this.
TEST_F(RulesKernelTest, AMillionPrefixes) {
  FakeResolver resolver;
  model::Config config = MakeConfig(2, 4);
  publish::Publisher publisher(kernel_.get(), &resolver, kTestKey);
  ASSERT_TRUE(publisher.Adopt(nullptr).ok());
  const Judged plain = Judge(config, nullptr);
  ASSERT_TRUE(publisher.Publish(*plain.approval, 1).ok());

  config.source_rules = {RandomList(model::kMaxSourcePrefixes, 3)};
  config.global_source_rules = "big";
  auto start = Clock::now();
  const Judged first = Judge(config, plain.fleet);
  ASSERT_TRUE(first.approval) << first.refusal;
  std::printf("build and judge: %.2f s\n", Since(start));
  const double before = KernelMemory();
  start = Clock::now();
  auto result = publisher.Publish(*first.approval, 2);
  ASSERT_TRUE(result.ok()) << result.status();
  std::printf("publish: %.2f s, of it after filling: stage %.1f ms, verify %.1f ms, swap %.3f ms\n",
              Since(start), result->stage.count() / 1e3, result->verify.count() / 1e3,
              result->swap.count() / 1e3);
  EXPECT_EQ(publisher.ReadKernelState()->digest.ToHex(), first.fleet->digest.ToHex());
  std::printf("kernel memory: %.0f MB\n", KernelMemory() - before);
  std::printf("a denied packet: %.0f ns\n", DeniedPacketCost(dir_.path(), config.source_rules[0]));
  start = Clock::now();
  config.pools[0].backends[0].weight = 50;
  const Judged second = Judge(config, first.fleet);
  ASSERT_TRUE(publisher.Publish(*second.approval, 3).ok());
  std::printf("another update beside it, judged and published: %.1f ms\n", 1e3 * Since(start));

  const uint32_t set = kernel_->ReadActive()->image.vips[0].global_rules;
  start = Clock::now();
  config.source_rules[0].deny.pop_back();
  const Judged third = Judge(config, second.fleet);
  ASSERT_TRUE(third.approval) << third.refusal;
  ASSERT_TRUE(publisher.Publish(*third.approval, 4).ok());
  std::printf("one prefix less, judged and published: %.2f s\n", Since(start));
  EXPECT_NE(kernel_->ReadActive()->image.vips[0].global_rules, set);
  config.source_rules.clear();
  config.global_source_rules.clear();
  std::shared_ptr<const guard::BuiltFleet> base = third.fleet;
  for (uint64_t revision = 5; revision < 8; ++revision) {
    config.pools[1].backends[0].weight = static_cast<int64_t>(90 + revision);
    const Judged next = Judge(config, base);
    ASSERT_TRUE(publisher.Publish(*next.approval, revision).ok());
    base = next.fleet;
  }
  publisher.Settle();
  EXPECT_TRUE(kernel_->ListRules()->empty());
}

}  // namespace
}  // namespace evenkeel::testing
