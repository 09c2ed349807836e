// SPDX-License-Identifier: Apache-2.0
#include "control/model/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using ::testing::HasSubstr;

class ConfigFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ek-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = dir_ / name;
    std::ofstream(path) << text;
    return path;
  }

  void ExpectError(const std::string& path, const char* says) {
    const auto text = ReadConfigText(path);
    ASSERT_FALSE(text.ok());
    const std::string message(text.status().message());
    EXPECT_THAT(message, HasSubstr(says));
    EXPECT_THAT(message, HasSubstr(path));
  }

  std::filesystem::path dir_;
};

TEST_F(ConfigFile, ReadsText) {
  const auto text = ReadConfigText(Write("a.yaml", "vips: []\n"));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "vips: []\n");
}

TEST_F(ConfigFile, NamesWhatIsWrong) {
  ExpectError(dir_ / "none.yaml", "check the path");
  ExpectError(dir_, "is a directory");
  ExpectError(Write("empty.yaml", ""), "is empty");
  EXPECT_FALSE(ReadConfigText("").ok());
}

TEST_F(ConfigFile, RefusesLargeFilesUnread) {
  const std::string path = Write("large.yaml", "");
  std::filesystem::resize_file(path, 100'000'000);  // sparse
  rusage before{}, after{};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &before), 0);
  ExpectError(path, "has 100000000 bytes, at most 67108864");
  ASSERT_EQ(getrusage(RUSAGE_SELF, &after), 0);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 10'000) << "KiB: the file was read";
}

TEST_F(ConfigFile, StopsReadingWhatNeverEnds) {
  const auto text = ReadConfigText("/dev/zero");
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("at most 67108864"));
}

}  // namespace
}  // namespace evenkeel::model
