// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/watched_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

using ::testing::HasSubstr;

constexpr char kWhole[] =
    "vips:\n  - {name: web, address: 192.0.2.10, port: 80, protocol: tcp, pool: web}\n"
    "pools:\n  - name: web\n    table_size: 1009\n    backends:\n"
    "      - {name: web-1, address: 10.0.1.1}\n      - {name: web-2, address: 10.0.1.2}\n";

class WatchedFileTest : public TempDir {
 protected:
  void SetUp() override {
    TempDir::SetUp();
    path_ = dir_ + "/web.yaml";
    file_ = std::make_unique<WatchedFile>(path_);
  }
  // One look a second.
  std::optional<engine::Reading> Look() { return file_->Look(now_ns_ += 1'000'000'000); }
  std::optional<engine::Reading> LookUntilRead(int most = 8) {
    for (int i = 0; i < most; ++i) {
      if (auto reading = Look()) return reading;
    }
    return std::nullopt;
  }
  void Replace(const std::string& text) { std::filesystem::rename(Write("new", text), path_); }

  std::string path_;
  std::unique_ptr<WatchedFile> file_;
  int64_t now_ns_ = 0;
};

TEST_F(WatchedFileTest, IsReadOnceAndAgainWhenItIsReplaced) {
  Replace(kWhole);
  auto reading = LookUntilRead();
  ASSERT_TRUE(reading.has_value());
  EXPECT_EQ(reading->problem, "");
  EXPECT_FALSE(reading->cut_off);
  ASSERT_TRUE(reading->parsed.ok()) << reading->parsed.diagnostics[0].ToString();
  EXPECT_EQ(reading->parsed.config.pools[0].backends.size(), 2u);
  EXPECT_FALSE(LookUntilRead().has_value());
  Replace(std::string(kWhole) + "      - {name: web-3, address: 10.0.1.3}\n");
  reading = LookUntilRead();
  ASSERT_TRUE(reading.has_value());
  EXPECT_EQ(reading->parsed.config.pools[0].backends.size(), 3u);
}

TEST_F(WatchedFileTest, IsNotReadWhileItIsWritten) {
  Replace("vips:\n");
  std::string text = "vips:\n";
  for (int i = 0; i < 20; ++i) {
    ASSERT_FALSE(Look().has_value()) << i;
    text += "#\n";
    std::ofstream(path_) << text;  // the same inode, truncated and written
  }
  std::ofstream(path_) << kWhole;
  EXPECT_TRUE(LookUntilRead()->parsed.ok());
}

TEST_F(WatchedFileTest, ASettledFileIsReadAfterTwoSeconds) {
  Replace(kWhole);
  EXPECT_FALSE(Look().has_value());
  EXPECT_FALSE(Look().has_value());
  EXPECT_TRUE(Look().has_value());
}

TEST_F(WatchedFileTest, AbsenceIsAReadingAndEndsWithTheFile) {
  const auto absent = LookUntilRead();
  ASSERT_TRUE(absent.has_value());
  EXPECT_THAT(absent->problem, HasSubstr("there is no such file"));
  EXPECT_FALSE(LookUntilRead().has_value());
  Replace(kWhole);
  EXPECT_EQ(LookUntilRead()->problem, "");
}

// A short absence, as of an editor that renames, is none.
TEST_F(WatchedFileTest, AbsenceForALookIsNotSeen) {
  Replace(kWhole);
  ASSERT_TRUE(LookUntilRead().has_value());
  std::filesystem::rename(path_, path_ + "~");
  EXPECT_FALSE(Look().has_value());
  std::filesystem::rename(path_ + "~", path_);
  const auto after = LookUntilRead();
  EXPECT_TRUE(!after.has_value() || after->problem.empty());
}

TEST_F(WatchedFileTest, ALinkThatLeadsElsewhereIsAChange) {
  Write("one", kWhole);
  Write("two", std::string(kWhole) + "      - {name: web-3, address: 10.0.1.3}\n");
  std::filesystem::create_symlink("one", path_);
  ASSERT_TRUE(LookUntilRead().has_value());
  std::filesystem::create_symlink("two", path_ + ".new");
  std::filesystem::rename(path_ + ".new", path_);
  EXPECT_EQ(LookUntilRead()->parsed.config.pools[0].backends.size(), 3u);
}

TEST_F(WatchedFileTest, AListThatItNamesIsWatchedToo) {
  Write("bad.txt", "203.0.113.0/24\n");
  Replace(std::string(kWhole) + "source_rules:\n  - {name: s, deny_file: bad.txt}\n");
  auto reading = LookUntilRead();
  ASSERT_TRUE(reading.has_value());
  ASSERT_TRUE(reading->parsed.ok()) << reading->parsed.diagnostics[0].ToString();
  EXPECT_EQ(reading->parsed.config.source_rules[0].deny.size(), 1u);
  Write("bad.txt", "203.0.113.0/24\n198.51.100.0/24\n");
  reading = LookUntilRead();
  ASSERT_TRUE(reading.has_value());
  EXPECT_EQ(reading->parsed.config.source_rules[0].deny.size(), 2u);
  std::filesystem::remove(dir_ + "/bad.txt");
  reading = LookUntilRead();
  ASSERT_TRUE(reading.has_value());
  EXPECT_FALSE(reading->parsed.ok());
  Write("bad.txt", "203.0.113.0/24\n");
  EXPECT_TRUE(LookUntilRead()->parsed.ok());
}

TEST_F(WatchedFileTest, TheEndOfTheLastLineIsLookedFor) {
  std::string text = kWhole;
  text.pop_back();
  Replace(text);
  const auto reading = LookUntilRead();
  EXPECT_TRUE(reading->parsed.ok()) << "what is cut off can be whole YAML";
  EXPECT_TRUE(reading->cut_off);
}

TEST_F(WatchedFileTest, WhatIsNoFileOfTheOperatorsIsNotRead) {
  Replace("");
  EXPECT_THAT(LookUntilRead()->problem, HasSubstr("is empty"));
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);  // whose open would wait for a writer
  EXPECT_THAT(LookUntilRead()->problem, HasSubstr("not a regular file"));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_THAT(LookUntilRead()->problem, HasSubstr("not a regular file"));
  std::filesystem::remove(path_);
  Replace(kWhole);
  ::chmod(path_.c_str(), 0666);
  EXPECT_THAT(LookUntilRead()->problem, HasSubstr("chmod o-w"));
  ::chmod(path_.c_str(), 0644);
  EXPECT_EQ(LookUntilRead()->problem, "");
}

}  // namespace
}  // namespace evenkeel::daemon
