// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/cgroup_memory.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

using ::testing::HasSubstr;
using Level = engine::Finding::Level;

class CgroupMemoryTest : public TempDir {
 protected:
  void Put(const std::string& path, const std::string& text) const {
    const std::filesystem::path full = std::filesystem::path(dir_) / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  std::optional<MemoryLimit> Read() const { return ReadMemoryLimit(dir_); }
};

TEST_F(CgroupMemoryTest, TheTightestGroupCountsWithoutItsCache) {
  Put("proc/self/cgroup", "0::/system.slice/evenkeeld.service\n");
  const std::string top = "sys/fs/cgroup/";
  Put(top + "system.slice/evenkeeld.service/memory.max", "max\n");
  Put(top + "system.slice/evenkeeld.service/memory.current", "5000\n");
  EXPECT_FALSE(Read());
  Put(top + "system.slice/memory.max", "100000\n");
  Put(top + "system.slice/memory.current", "60000\n");
  Put(top + "system.slice/memory.stat", "anon 1\ninactive_file 20000\nslab 3\n");
  auto limit = Read();
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->left(), 60000u);
  EXPECT_THAT(limit->group, ::testing::EndsWith("/sys/fs/cgroup/system.slice"));
  Put(top + "system.slice/evenkeeld.service/memory.max", "10000\n");
  limit = Read();
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->limit, 10000u);
  EXPECT_EQ(limit->left(), 5000u);
}

// As in a container: its own group is the root of what it sees.
TEST_F(CgroupMemoryTest, AtTheRootOfTheNamespace) {
  Put("proc/self/cgroup", "0::/\n");
  Put("sys/fs/cgroup/memory.max", "1000\n");
  Put("sys/fs/cgroup/memory.current", "1500\n");
  const auto limit = Read();
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->left(), 0u);
}

TEST_F(CgroupMemoryTest, VersionOne) {
  Put("proc/self/cgroup", "9:cpu,memory:/lb\n1:name=systemd:/init\n0::/elsewhere\n");
  Put("sys/fs/cgroup/memory/lb/memory.limit_in_bytes", "9223372036854771712\n");
  Put("sys/fs/cgroup/memory/lb/memory.usage_in_bytes", "4096\n");
  EXPECT_FALSE(Read()) << "that is how it says that there is none";
  Put("sys/fs/cgroup/memory/lb/memory.limit_in_bytes", "8192\n");
  const auto limit = Read();
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->left(), 4096u);
}

TEST_F(CgroupMemoryTest, NothingThereIsNoLimit) { EXPECT_FALSE(Read()); }

TEST(MemoryLimitTest, IsComparedWithWhatAnUpdateTakes) {
  constexpr uint64_t kMib = 1u << 20;
  model::Config config;
  EXPECT_EQ(StagingBytes(config), 0u);
  for (int i = 0; i < 100; ++i) config.pools.push_back(testing::MakePool("p", 1, {1, 2}));
  for (model::Pool& pool : config.pools) pool.table_size = 65537;
  const uint64_t need = StagingBytes(config);
  EXPECT_GT(need, 70 * kMib);  // three times 256 KiB for each pool
  EXPECT_LT(need, 90 * kMib);
  const auto check = [&](uint64_t left) {
    return CheckMemoryLimit(
        MemoryLimit{.group = "/g", .limit = 1000 * kMib, .used = 1000 * kMib - left}, need);
  };
  EXPECT_EQ(check(300 * kMib).level, Level::kOk);
  EXPECT_EQ(check(100 * kMib).level, Level::kWarn);
  EXPECT_THAT(check(100 * kMib).remedy, HasSubstr("MemoryMax="));
  EXPECT_EQ(check(60 * kMib).level, Level::kFail);
  EXPECT_THAT(check(60 * kMib).detail, HasSubstr("60 MiB left of 1000 MiB"));
  EXPECT_EQ(CheckMemoryLimit(std::nullopt, need).level, Level::kOk);
}

}  // namespace
}  // namespace evenkeel::daemon
