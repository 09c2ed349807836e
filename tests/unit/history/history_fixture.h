// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_HISTORY_HISTORY_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_HISTORY_HISTORY_FIXTURE_H_

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "control/history/history.h"

namespace evenkeel::history {

class HistoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "ek-history-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    dir_ = root_ + "/state";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string db_path() const { return dir_ + "/history.db"; }
  std::unique_ptr<History> MustOpen() {
    auto history = History::Open(dir_);
    EXPECT_TRUE(history.ok()) << history.status();
    return history.ok() ? std::move(*history) : nullptr;
  }
  // Runs SQL from a second connection.
  void Sql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(db_path().c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error != nullptr ? error : "");
    sqlite3_free(error);
    sqlite3_close(db);
  }

  std::string root_, dir_;
};

inline Revision MakeRevision(const std::string& reason, int64_t at = 1) {
  Revision revision;
  revision.author = "uid 1000 (alice)";
  revision.reason = reason;
  revision.source = "api";
  revision.created_unix_ns = at;
  revision.digest = std::string(64, 'a');
  revision.config_yaml = "vips:\n  - name: web\n    port: 80\npools:\n  - name: " + reason +
                         "\n    backends:\n      - name: b\n";
  revision.verdict_json = R"({"verdict":"pass"})";
  return revision;
}

}  // namespace evenkeel::history

#endif  // EVENKEEL_TESTS_UNIT_HISTORY_HISTORY_FIXTURE_H_
