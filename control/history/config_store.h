// SPDX-License-Identifier: Apache-2.0
//
// Configurations in pieces, each stored once: a revision that changes one pool of a thousand adds
// one pool's text to the database, not a megabyte, and its commit stays short.
#ifndef EVENKEEL_CONTROL_HISTORY_CONFIG_STORE_H_
#define EVENKEEL_CONTROL_HISTORY_CONFIG_STORE_H_

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/history/database.h"

namespace evenkeel::history {

// Cuts `text` before each element of its top-level lists, and within long lists of prefixes.
// Joined, the pieces are `text`; where the cuts are only decides how much two configurations share.
std::vector<std::string_view> CutIntoPieces(std::string_view text);

// The pieces that a list of Put names.
std::vector<int64_t> PieceIds(std::string_view list);

class ConfigStore {
 public:
  absl::Status Prepare(Database* db);

  // Stores `text` within the caller's transaction; returns the list that Get takes.
  absl::StatusOr<std::string> Put(Database* db, std::string_view text);
  absl::StatusOr<std::string> Get(std::string_view list);

 private:
  absl::StatusOr<int64_t> PutPiece(Database* db, std::string_view piece);

  Statement find_, insert_, read_;
};

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_CONFIG_STORE_H_
