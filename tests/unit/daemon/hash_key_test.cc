// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/hash_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "control/daemon/instance_lock.h"
#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

using ::testing::HasSubstr;

class HashKeyTest : public TempDir {};

TEST_F(HashKeyTest, AnAbsentKeyIsMadeOnce) {
  const std::string path = dir_ + "/hash.key";
  const auto first = LoadOrCreateHashKey(path);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_NE(*first, maglev::HashKey{});
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(info.st_size, 33);
  EXPECT_EQ(*LoadOrCreateHashKey(path), *first);
  EXPECT_NE(*LoadOrCreateHashKey(dir_ + "/other.key"), *first);
}

TEST_F(HashKeyTest, BytesAreInTheOrderOfTheDigits) {
  const std::string path = Write("k", "000102030405060708090a0b0c0D0E0F\n");
  ::chmod(path.c_str(), 0600);
  const auto key = LoadOrCreateHashKey(path);
  ASSERT_TRUE(key.ok()) << key.status();
  for (uint8_t i = 0; i < 16; ++i) EXPECT_EQ((*key)[i], i);
}

TEST_F(HashKeyTest, AKeyThatOthersCanReadIsRefused) {
  const std::string path = Write("k", "000102030405060708090a0b0c0d0e0f\n");
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0666}) {
    ::chmod(path.c_str(), mode);
    const auto key = LoadOrCreateHashKey(path);
    EXPECT_EQ(key.status().code(), absl::StatusCode::kPermissionDenied) << std::oct << mode;
    EXPECT_THAT(std::string(key.status().message()), HasSubstr("chmod 0600 " + path));
  }
}

TEST_F(HashKeyTest, AnythingElseIsNoKey) {
  for (const char* text : {"", "0001", "000102030405060708090a0b0c0d0e0f00",
                           "000102030405060708090a0b0c0d0e0g", "not a key at all"}) {
    const std::string path = Write("k", text);
    ::chmod(path.c_str(), 0600);
    EXPECT_EQ(LoadOrCreateHashKey(path).status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST_F(HashKeyTest, NoDirectoryNoKey) {
  EXPECT_FALSE(LoadOrCreateHashKey(dir_ + "/absent/hash.key").ok());
}

class InstanceLockTest : public TempDir {};

TEST_F(InstanceLockTest, TheSecondIsToldOfTheFirst) {
  const std::string state = dir_ + "/state";
  auto first = InstanceLock::Take(state);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = InstanceLock::Take(state);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("pid " + std::to_string(::getpid())));
  first->reset();
  EXPECT_TRUE(InstanceLock::Take(state).ok());
}

}  // namespace
}  // namespace evenkeel::daemon
