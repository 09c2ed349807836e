// SPDX-License-Identifier: Apache-2.0
//
// Making, finding, refusing and removing pinned data planes.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bpf/abi/limits.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/map_dump.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"
#include "tests/kernel/kernel_options.h"

namespace evenkeel::testing {
namespace {

namespace fs = std::filesystem;

using dataplane::KernelDataPlane;
using dataplane::KernelOptions;
using ::testing::HasSubstr;

class OpenTest : public KernelTest {
 protected:
  std::string Pin(const std::string& name) const { return dir_.path() + "/" + name; }

  static void PublishSomething(KernelDataPlane& dataplane) {
    FakeResolver resolver;
    publish::Publisher publisher(&dataplane, &resolver, kTestKey);
    ASSERT_TRUE(publisher.Adopt(nullptr).ok());
    const Judged judged = Judge(MakeConfig(1, 4), nullptr);
    auto result = publisher.Publish(*judged.approval, 1);
    ASSERT_TRUE(result.ok()) << result.status();
  }

  ScopedPinDir dir_;
};

TEST_F(OpenTest, MakesAPrivateDirectoryAndAdoptsItLater) {
  auto first = OpenSmall(dir_.path());
  ASSERT_NE(first, nullptr);
  EXPECT_FALSE(first->adopted());
  struct stat info {};
  ASSERT_EQ(stat(dir_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_TRUE(fs::exists(Pin("balancer")));
  auto active = first->ReadActive();
  ASSERT_TRUE(active.ok()) << active.status();
  EXPECT_FALSE(active->published);
  first.reset();
  auto second = OpenSmall(dir_.path());
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->adopted());
}

struct Mismatch {
  const char* name;
  void (*change)(KernelOptions&);
  const char* text;
};

TEST_F(OpenTest, RefusesWhatDiffersAndLeavesItUntouched) {
  ASSERT_NE(OpenSmall(dir_.path()), nullptr);
  const auto before = DumpPinnedMaps(dir_.path());
  const Mismatch cases[] = {
      {"key", [](KernelOptions& o) { o.hash_key[3] ^= 1; }, "hash key with fingerprint"},
      {"tables", [](KernelOptions& o) { o.limits.max_tables = 65; }, "max_tables 64 instead of 65"},
      {"vips", [](KernelOptions& o) { o.limits.max_vips = 65; }, "max_vips 64 instead of 65"},
      {"backends", [](KernelOptions& o) { o.limits.max_backends = 9; }, "max_backends 1024"},
  };
  for (const Mismatch& one : cases) {
    SCOPED_TRACE(one.name);
    KernelOptions options = SmallOptions(dir_.path());
    one.change(options);
    auto opened = KernelDataPlane::Open(options);
    EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(one.text));
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(dir_.path()));
  }
  EXPECT_EQ(DumpPinnedMaps(dir_.path()), before);
  EXPECT_NE(OpenSmall(dir_.path()), nullptr);
}

TEST_F(OpenTest, RefusesAnotherAbiVersion) {
  ASSERT_NE(OpenSmall(dir_.path()), nullptr);
  const int meta = bpf_obj_get(Pin("meta").c_str());
  ASSERT_GE(meta, 0);
  uint32_t words[8] = {};
  const uint32_t zero = 0;
  ASSERT_EQ(bpf_map_lookup_elem(meta, &zero, words), 0);
  words[0] += 1;  // abi_version stands first, in every version
  ASSERT_EQ(bpf_map_update_elem(meta, &zero, words, BPF_ANY), 0);
  close(meta);
  auto opened = KernelDataPlane::Open(SmallOptions(dir_.path()));
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_THAT(
      std::string(opened.status().message()),
      HasSubstr(absl::StrCat("ABI version ", EK_ABI_VERSION + 1, " instead of ", EK_ABI_VERSION)));
}

TEST_F(OpenTest, OneProcessAtATime) {
  auto first = OpenSmall(dir_.path());
  ASSERT_NE(first, nullptr);
  auto second = KernelDataPlane::Open(SmallOptions(dir_.path()));
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("pid " + std::to_string(getpid())));
  EXPECT_TRUE(absl::IsFailedPrecondition(KernelDataPlane::Remove(dir_.path())));
}

TEST_F(OpenTest, NamesAPinDirectoryThatCannotBe) {
  struct Case {
    const char* name;
    const char* path;
    absl::StatusCode code;
    const char* text;
  };
  const Case cases[] = {
      {"relative", "evenkeel", absl::StatusCode::kInvalidArgument, "absolute path"},
      {"elsewhere", "/tmp/evenkeel-no-bpffs", absl::StatusCode::kFailedPrecondition,
       "not on a bpffs"},
      {"dotted", "/sys/fs/bpf/evenkeel-test.x", absl::StatusCode::kPermissionDenied,
       "no names with a dot"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    auto opened = KernelDataPlane::Open(SmallOptions(one.path));
    EXPECT_EQ(opened.status().code(), one.code) << opened.status();
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(one.text));
  }
}

TEST_F(OpenTest, RemoveLeavesNothing) {
  ASSERT_NE(OpenSmall(dir_.path()), nullptr);
  ASSERT_TRUE(KernelDataPlane::Remove(dir_.path()).ok());
  EXPECT_FALSE(fs::exists(dir_.path()));
  EXPECT_TRUE(KernelDataPlane::Remove(dir_.path()).ok());
}

// A daemon that is killed while it makes the data plane leaves one that the next start repairs.
TEST_F(OpenTest, RecoversFromAKillAtAnyMoment) {
  const auto start = std::chrono::steady_clock::now();
  ASSERT_NE(OpenSmall(dir_.path()), nullptr);
  const auto full = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  ASSERT_TRUE(KernelDataPlane::Remove(dir_.path()).ok());
  std::mt19937_64 random(20);
  int incomplete = 0;
  for (int round = 0; round < 25; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto opened = KernelDataPlane::Open(SmallOptions(dir_.path()));
      pause();
      _exit(opened.ok() ? 0 : 1);
    }
    std::this_thread::sleep_for(full * static_cast<int>(random() % 120) / 100);
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    incomplete += !fs::exists(Pin("meta"));
    auto opened = OpenSmall(dir_.path());
    ASSERT_NE(opened, nullptr) << "round " << round;
    PublishSomething(*opened);
    opened.reset();
    ASSERT_TRUE(KernelDataPlane::Remove(dir_.path()).ok());
  }
  EXPECT_GT(incomplete, 0) << "no kill came early enough to test anything";
}

}  // namespace
}  // namespace evenkeel::testing
