// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "control/cli/cat.h"
#include "control/cli/host_checks.h"
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using engine::Finding;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Level = Finding::Level;

// A host on which everything is as it should be.
class DoctorTest : public CliTest {
 protected:
  DoctorTest() {
    Put("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
    Put("proc/sys/net/core/bpf_jit_enable", "1\n");
    Put("proc/mounts", "proc /proc proc rw 0 0\nbpf /sys/fs/bpf bpf rw,nosuid 0 0\n");
    Put("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    4194304 kB\n");
    Put("sys/kernel/btf/vmlinux", "btf");
    Put("sys/class/net/eth0/mtu", "1600\n");
    Put("sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n");
    Put("sys/class/net/eth0/queues/rx-1/rps_cpus", "0\n");
    Put("boot/config-6.1.0-18-amd64",
        "# a comment\nCONFIG_BPF_SYSCALL=y\nCONFIG_BPF_JIT=y\nCONFIG_DEBUG_INFO_BTF=y\n"
        "CONFIG_BPF_EVENTS=y\nCONFIG_LWTUNNEL_BPF=y\nCONFIG_IP_MULTIPLE_TABLES=y\n"
        "CONFIG_IPV6_MULTIPLE_TABLES=y\nCONFIG_PACKET=m\n");
    env_.host.processors = 4;
    nic_ = {.driver = "ice",
            .version = "6.1.0",
            .channels = 2,
            .max_channels = 4,
            .indirection = {0, 1, 0, 1},
            .udp4_ports = true,
            .udp6_ports = true};
    env_.host.nic = [this](const std::string& interface) {
      return interface == "eth0" ? nic_ : nic::Facts{};
    };
    daemon_.status.version = Version();
    daemon_.status.interfaces = {{"eth0", "native", "", false}};
    engine::PoolStatus pool;
    pool.name = "web";
    pool.backends.resize(1);
    pool.backends[0].name = "web-1";
    pool.backends[0].address = *model::IpAddress::Parse("10.0.1.11");
    daemon_.status.pools = {pool};
    daemon_.findings = {{Level::kOk, "history", "", "whole, and can be written", ""}};
  }
  // "evenkeel 0.1.0".
  std::string Version() {
    const std::string text = Run({"--version"}).out;
    return text.substr(text.find(' ') + 1, text.size() - text.find(' ') - 2);
  }
  void Put(const std::string& path, const std::string& text) const {
    const std::filesystem::path full = std::filesystem::path(env_.host.root) / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  void Remove(const std::string& path) const {
    std::filesystem::remove_all(std::filesystem::path(env_.host.root) / path);
  }
  void AddVip(const std::string& address, model::Protocol protocol) {
    model::Vip vip;
    vip.name = address;
    vip.address = *model::IpAddress::Parse(address);
    vip.protocol = protocol;
    daemon_.status.vips.push_back({.vip = vip, .counter = {}});
  }
  // "ok rss eth0: 4 hash values ..." of each finding of a check.
  std::vector<std::string> Of(const std::string& check) {
    std::vector<std::string> found;
    const nlohmann::json json = Run({"doctor", "-o", "json"}).Json();
    for (const auto& f : json["findings"]) {
      if (f["check"] != check) continue;
      found.push_back(Cat(f["level"].get<std::string>(), " ", f["subject"].get<std::string>(), ": ",
                          f["detail"].get<std::string>(),
                          f["remedy"] == "" ? "" : Cat(" -> ", f["remedy"].get<std::string>())));
    }
    return found;
  }

  nic::Facts nic_;
};

TEST_F(DoctorTest, AHealthyHostIsWell) {
  const Ran ran = Run({"doctor"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("ok   kernel: Linux 6.1.0-18-amd64"),
                             HasSubstr("ok   history: whole, and can be written"),
                             HasSubstr("ok   queues eth0: 2 receive queues, 4 processors"),
                             HasSubstr("ok   driver eth0: ice 6.1.0, native XDP"),
                             HasSubstr("ok   rss eth0: 4 hash values over 2 of 2 queues"),
                             HasSubstr("ok   kernel-config /boot/config-6.1.0-18-amd64: has all"),
                             HasSubstr("ok   mtu eth0: MTU 1600"), HasSubstr("All is well"),
                             Not(HasSubstr("remedy"))));
  const nlohmann::json json = Run({"doctor", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.doctor/v1");
  for (const auto& finding : json["findings"]) {
    EXPECT_EQ(finding["level"], "ok") << finding;
    EXPECT_EQ(finding["remedy"], "") << finding;
  }
  EXPECT_EQ(Run({"doctor", "--fail-on", "warn"}).code, 0);
}

struct Fault {
  const char* name;
  std::function<void(DoctorTest&, Environment&)> make;
  const char* level;
  const char* check;
  const char* says;
  const char* remedy;
};

class FaultTest : public DoctorTest, public testing::WithParamInterface<int> {
 public:
  using DoctorTest::daemon_;
  using DoctorTest::nic_;
  using DoctorTest::Put;
  using DoctorTest::Remove;
};

const std::vector<Fault>& Faults() {
  static const auto* const faults = new std::vector<Fault>{
      {"OldKernel",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).Put("proc/sys/kernel/osrelease", "5.15.0");
       },
       "fail", "kernel", "Linux 5.15.0", "Linux 6.1 or newer"},
      {"KernelOfAnotherKind",
       [](auto& t, auto&) { static_cast<FaultTest&>(t).Put("proc/sys/kernel/osrelease", "gnu"); },
       "warn", "kernel", "cannot be read: \"gnu\"", "Linux 6.1"},
      {"NoBtf", [](auto& t, auto&) { static_cast<FaultTest&>(t).Remove("sys/kernel/btf"); }, "fail",
       "btf", "is missing", "CONFIG_DEBUG_INFO_BTF"},
      {"Interpreted",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).Put("proc/sys/net/core/bpf_jit_enable", "0\n");
       },
       "fail", "jit", "interpreted", "sysctl -w net.core.bpf_jit_enable=1"},
      {"NoBpfFs",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).Put("proc/mounts", "tmpfs /sys/fs/bpf tmpfs rw 0 0\n");
       },
       "fail", "bpf-fs", "no BPF file system", "mount -t bpf"},
      {"LittleMemory",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).Put("proc/meminfo", "MemAvailable: 262143 kB\n");
       },
       "warn", "memory", "255 MiB available", "leave room"},
      {"ClockGoesAstray", [](auto&, auto& env) { env.host.clock_synchronised = false; }, "warn",
       "clock", "not synchronised", "chrony"},
      {"OneQueue",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).nic_ = {};
         static_cast<FaultTest&>(t).Remove("sys/class/net/eth0/queues/rx-1");
       },
       "warn", "queues", "one processor carries every packet", "ethtool -L eth0 combined 4"},
      {"FewQueues",
       [](auto& t, auto& env) {
         static_cast<FaultTest&>(t).nic_.max_channels = 64;
         env.host.processors = 32;
       },
       "warn", "queues", "2 receive queues, 32 processors: most processors carry no packet",
       "ethtool -L eth0 combined 32"},
      {"NoMoreQueues",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).nic_.channels = 1;
         static_cast<FaultTest&>(t).nic_.max_channels = 1;
       },
       "warn", "queues", "one processor carries every packet", "has no more here"},
      {"UnevenTable",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).nic_.channels = 4;
         static_cast<FaultTest&>(t).nic_.indirection = {0, 0, 0, 0, 0, 1, 2, 3};
       },
       "warn", "rss", "queue 0 gets 5 of 8 hash values, 2.5 times its part of 4 queues",
       "ethtool -X eth0 equal 4"},
      {"GenericThoughTheDriverCould",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).nic_.driver = "virtio_net";
         static_cast<FaultTest&>(t).daemon_.status.interfaces[0].mode = "generic";
       },
       "warn", "driver", "virtio_net 6.1.0, generic XDP, and this driver has native XDP",
       "ethtool -K eth0 rx-gro-hw off"},
      {"AllInterruptsOnOneProcessor",
       [](auto& t, auto&) {
         for (const char* irq : {"40", "41", "42"}) {
           static_cast<FaultTest&>(t).Put(Cat("sys/class/net/eth0/device/msi_irqs/", irq), "msix");
           static_cast<FaultTest&>(t).Put(Cat("proc/irq/", irq, "/effective_affinity_list"), "3\n");
         }
       },
       "warn", "interrupts", "3 interrupts, served by processor 3 alone", "irqbalance"},
      {"NoTunnelPrograms",
       [](auto& t, auto&) {
         static_cast<FaultTest&>(t).Put("boot/config-6.1.0-18-amd64",
                                        "CONFIG_BPF_SYSCALL=y\n# CONFIG_LWTUNNEL_BPF is not set\n"
                                        "CONFIG_BPF_EVENTS=y\nCONFIG_IP_MULTIPLE_TABLES=y\n"
                                        "CONFIG_IPV6_MULTIPLE_TABLES=y\nCONFIG_PACKET=y\n");
       },
       "warn", "kernel-config",
       "lacks CONFIG_LWTUNNEL_BPF (health checks and doctor's probes through VIPs)", "boot"},
      {"NoSuchInterface",
       [](auto& t, auto&) { static_cast<FaultTest&>(t).Remove("sys/class/net/eth0"); }, "warn",
       "mtu", "cannot be read", "network namespace"},
      {"UsualMtu",
       [](auto& t, auto&) { static_cast<FaultTest&>(t).Put("sys/class/net/eth0/mtu", "1519\n"); },
       "warn", "mtu", "more than 1499 bytes", "to 1520, or clamp the MSS of the backends to 1459"},
      {"TooSmallMtu",
       [](auto& t, auto&) { static_cast<FaultTest&>(t).Put("sys/class/net/eth0/mtu", "1299\n"); },
       "fail", "mtu", "too little for IPv6", "raise the MTU"}};
  return *faults;
}

TEST_P(FaultTest, IsNamedWithItsRemedy) {
  const Fault& fault = Faults()[GetParam()];
  fault.make(*this, env_);
  const bool fails = std::string_view(fault.level) == "fail";
  const Ran ran = Run({"doctor"});
  EXPECT_EQ(ran.code, fails ? 1 : 0);
  EXPECT_EQ(Run({"doctor", "--fail-on", "warn"}).code, fails ? 1 : 4);
  const nlohmann::json json = Run({"doctor", "-o", "json"}).Json();
  bool found = false;
  for (const auto& finding : json["findings"]) {
    if (finding["check"] != fault.check) continue;
    found = true;
    EXPECT_EQ(finding["level"], fault.level) << finding;
    EXPECT_THAT(finding["detail"].get<std::string>(), HasSubstr(fault.says));
    EXPECT_THAT(finding["remedy"].get<std::string>(), HasSubstr(fault.remedy));
  }
  EXPECT_TRUE(found);
  for (std::string_view line : Split(ran.out, '\n')) EXPECT_LE(line.size(), 80u) << line;
}

INSTANTIATE_TEST_SUITE_P(All, FaultTest, testing::Range(0, 17), [](const auto& tested) {
  return std::string(Faults()[tested.param].name);
});

TEST_F(DoctorTest, GueAndIpv6NeedMoreRoom) {
  daemon_.status.pools[0].forwarding = model::Forwarding::kGue;
  daemon_.status.pools[0].backends[0].address = *model::IpAddress::Parse("2001:db8::1");
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("encapsulation adds up to 48 bytes"));
  daemon_.status.pools[0].forwarding = model::Forwarding::kL2;
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("encapsulation adds up to 0 bytes"));
}

// What works is not missing, whatever is written; what is not written is not guessed.
TEST_F(DoctorTest, TheKernelsConfigurationIsReadWhereItCanBe) {
  Put("boot/config-6.1.0-18-amd64", "CONFIG_NET=y\n");
  Remove("sys/kernel/btf");
  Put("proc/net/packet", "");
  EXPECT_THAT(Of("kernel-config"),
              ElementsAre(AllOf(HasSubstr("fail"), HasSubstr("DEBUG_INFO_BTF"),
                                Not(HasSubstr("BPF_SYSCALL")), Not(HasSubstr("BPF_JIT")),
                                Not(HasSubstr("CONFIG_PACKET")))));
  daemon_.down = absl::UnavailableError("nobody listens");
  EXPECT_THAT(Of("kernel-config"), ElementsAre(HasSubstr("BPF_SYSCALL")));
  daemon_.down = absl::OkStatus();
  Remove("boot");
  EXPECT_THAT(Of("kernel-config"), ElementsAre(HasSubstr("ok : cannot be told")));
  const std::string path = Cat(env_.host.root, "/proc/config.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_GT(gzputs(file, "CONFIG_BPF_EVENTS=y\n"), 0);
  gzclose(file);
  EXPECT_THAT(Of("kernel-config"),
              ElementsAre(AllOf(HasSubstr("/proc/config.gz: lacks "), HasSubstr("LWTUNNEL_BPF"),
                                Not(HasSubstr("BPF_EVENTS")))));
  Put("proc/config.gz", "\x1f\x8bnot gzip");  // unreadable: the other place counts
  Put("boot/config-6.1.0-18-amd64", "CONFIG_NET=y\n");
  EXPECT_THAT(Of("kernel-config"), ElementsAre(HasSubstr("/boot/config-")));
}

TEST_F(DoctorTest, ADriverThatTellsNothingIsNoFault) {
  nic_ = {};
  AddVip("192.0.2.10", model::Protocol::kUdp);
  const Ran ran = Run({"doctor", "--fail-on", "warn"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_THAT(Of("driver"), ElementsAre(HasSubstr("cannot be told")));
  EXPECT_THAT(Of("rss"), ElementsAre(HasSubstr("cannot be told")));
  EXPECT_THAT(Of("rss-udp"), ElementsAre(HasSubstr("cannot be told")));
}

TEST_F(DoctorTest, ATableThatCannotBeEvenIsNoFault) {
  nic_.channels = 3;
  nic_.indirection = {0, 1, 2, 0};
  EXPECT_THAT(Of("rss"), ElementsAre(HasSubstr("ok")));
  nic_.indirection = {0, 1, 0, 1, 0, 1};  // half of what there is: `equal 2`
  nic_.channels = 4;
  EXPECT_THAT(Of("rss"), ElementsAre(HasSubstr("6 hash values over 2 of 4 queues")));
}

TEST_F(DoctorTest, PortsOfUdpMatterOnlyWhereThereAreUdpVips) {
  nic_.udp4_ports = nic_.udp6_ports = false;
  AddVip("192.0.2.10", model::Protocol::kTcp);
  EXPECT_THAT(Of("rss-udp"), IsEmpty());
  AddVip("2001:db8::10", model::Protocol::kQuic);
  EXPECT_THAT(Of("rss-udp"),
              ElementsAre(AllOf(HasSubstr("warn eth0 udp6: only addresses are hashed"),
                                HasSubstr("ethtool -N eth0 rx-flow-hash udp6 sdfn"))));
  nic_.channels = 1;
  EXPECT_THAT(Of("rss-udp"), IsEmpty());
}

TEST_F(DoctorTest, ServersAreAskedUnlessToldOtherwise) {
  env_.err_is_terminal = true;
  const Ran ran = Run({"doctor"});
  EXPECT_THAT(ran.err, HasSubstr("for some 3 s"));
  EXPECT_EQ(Run({"doctor", "--no-probe"}).err, "");
  ASSERT_EQ(daemon_.diagnosed.size(), 2u);
  EXPECT_TRUE(daemon_.diagnosed[0].probe);
  EXPECT_FALSE(daemon_.diagnosed[1].probe);
}

TEST_F(DoctorTest, WhatTheDaemonFindsIsShown) {
  daemon_.findings = {
      {Level::kFail, "history", "", "history /s/history.db: disk full", "free space"}};
  const Ran ran = Run({"doctor"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("fail history: history /s/history.db: disk full"),
                             HasSubstr("remedy: free space"), HasSubstr("1 failure, 0 warnings")));
}

TEST_F(DoctorTest, AnotherVersionIsAWarning) {
  daemon_.status.version = "9.9.9";
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("warn daemon"));
}

// It may be the record that keeps it from starting.
TEST_F(DoctorTest, WithoutADaemonTheRecordIsLookedAt) {
  daemon_.down = absl::UnavailableError("nobody listens");
  std::string asked;
  env_.inspect_history = [&](const std::string& dir) {
    asked = dir;
    return absl::DataLossError("history.db: file is not a database; move it away");
  };
  const Ran ran = Run({"doctor", "--state-dir", "/s"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(asked, "/s");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("nobody listens"), HasSubstr("systemctl start evenkeeld"),
                             HasSubstr("file is not a database; move it away")));
  env_.inspect_history = [&](const std::string&) { return absl::NotFoundError("no such file"); };
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("warn history /var/lib/evenkeel: no such file"));
  env_.inspect_history = [&](const std::string&) { return absl::OkStatus(); };
  EXPECT_THAT(Run({"doctor"}).out, HasSubstr("ok   history /var/lib/evenkeel: whole"));
}

}  // namespace
}  // namespace evenkeel::cli
