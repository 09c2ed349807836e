// SPDX-License-Identifier: Apache-2.0
#include "tests/probe/probe_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace evenkeel::testing {

using std::chrono::steady_clock;

void Seeing::Add(const probe::Target& target, const probe::Result& result) {
  const std::lock_guard lock(mu_);
  seen_[{target.address.ToString(), target.port}].push_back({steady_clock::now(), result});
  ++total_;
  changed_.notify_all();
}

std::vector<Seen> Seeing::Of(const std::string& address, uint16_t port) const {
  const std::lock_guard lock(mu_);
  const auto it = seen_.find({address, port});
  return it == seen_.end() ? std::vector<Seen>{} : it->second;
}

size_t Seeing::total() const {
  const std::lock_guard lock(mu_);
  return total_;
}

std::map<Seeing::Key, std::vector<Seen>> Seeing::All() const {
  const std::lock_guard lock(mu_);
  return seen_;
}

void Seeing::Clear() {
  const std::lock_guard lock(mu_);
  seen_.clear();
  total_ = 0;
}

bool Seeing::WaitFor(const std::string& address, uint16_t port, size_t count, Millis limit) const {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, limit, [&] {
    const auto it = seen_.find({address, port});
    return it != seen_.end() && it->second.size() >= count;
  });
}

void ProbeTest::SetUp() {
  KernelTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy"}) {
    ASSERT_EQ(setenv(name, "http://127.0.0.1:1", 1), 0);  // must not be used
  }
  netns_ = std::make_unique<ScopedNetns>();
  netns_->Run(
      "ip link add bh0 type veth peer name bh1; ip link set bh0 up; ip link set bh1 up;"
      "ip addr add 10.99.0.254/24 dev bh0;"
      "for i in $(seq 1 200); do echo neigh add 10.99.0.$i lladdr 02:00:00:00:00:01 dev bh0; done |"
      "ip -batch -");
  entered_.emplace(*netns_);
}

void ProbeTest::TearDown() {
  prober_.reset();
  entered_.reset();
}

probe::Target ProbeTest::To(const std::string& address, uint16_t port, Type type, Millis interval,
                            Millis timeout) {
  probe::Target target{.pool = "web", .address = {}, .port = port, .check = {}};
  auto parsed = model::IpAddress::Parse(address);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  if (parsed.ok()) target.address = *parsed;
  target.check.type = type;
  target.check.interval = interval;
  target.check.timeout = timeout;
  return target;
}

void ProbeTest::Start(probe::Options options, probe::Sink sink) {
  auto prober = probe::Prober::Start(
      options, [this, sink = std::move(sink)](const probe::Target& t, const probe::Result& r) {
        seeing_.Add(t, r);
        if (sink) sink(t, r);
      });
  ASSERT_TRUE(prober.ok()) << prober.status();
  prober_ = *std::move(prober);
}

void ProbeTest::SetTargets(const std::vector<probe::Target>& targets) {
  const absl::Status status = prober_->SetTargets(targets);
  ASSERT_TRUE(status.ok()) << status;
}

size_t ProbeTest::Descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

probe::Result ProbeTest::Ask(const probe::Target& target) {
  if (!prober_) Start();
  seeing_.Clear();
  SetTargets({target});
  const std::string address = target.address.ToString();
  EXPECT_TRUE(seeing_.WaitFor(address, target.port, 1, kLimit));
  SetTargets({});
  const std::vector<Seen> seen = seeing_.Of(address, target.port);
  return seen.empty() ? probe::Result{} : seen[0].result;
}

size_t ProbeTest::DescriptorsDownTo(size_t count) {
  const auto end = steady_clock::now() + std::chrono::seconds{5};
  while (Descriptors() > count && steady_clock::now() < end) {
    std::this_thread::sleep_for(Millis{20});
  }
  return Descriptors();
}

}  // namespace evenkeel::testing
