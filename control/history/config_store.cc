// SPDX-License-Identifier: Apache-2.0
#include "control/history/config_store.h"

#include <openssl/sha.h>

#include <array>

#include "absl/strings/str_cat.h"

namespace evenkeel::history {
namespace {

constexpr size_t kIdBytes = 8;  // of one piece in a list, little-endian

bool StartsElement(std::string_view line) {
  return line.starts_with("- ") || line.starts_with("  - ");
}

// Lists of prefixes have up to a million lines. They are cut where their content says so, about
// every 256 lines: then two lists that differ in some lines share all other pieces.
bool CutsList(std::string_view line) {
  constexpr std::string_view kIndent = "      - ";
  if (!line.starts_with(kIndent) || line.size() == kIndent.size()) return false;
  const char first = line[kIndent.size()];
  if (first != '"' && (first < '0' || first > '9')) return false;
  uint32_t hash = 2166136261u;  // FNV-1a
  for (const char c : line.substr(0, line.find('\n'))) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  }
  return hash >> 24 == 0;
}

void AppendId(int64_t id, std::string* list) {
  for (size_t i = 0; i < kIdBytes; ++i) {
    list->push_back(static_cast<char>(static_cast<uint64_t>(id) >> (8 * i)));
  }
}

int64_t ReadId(std::string_view bytes) {
  uint64_t id = 0;
  for (size_t i = 0; i < kIdBytes; ++i) {
    id |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return static_cast<int64_t>(id);
}

}  // namespace

std::vector<std::string_view> CutIntoPieces(std::string_view text) {
  std::vector<std::string_view> pieces;
  size_t start = 0;
  for (size_t line = 0; line < text.size();) {
    if (line > start && (StartsElement(text.substr(line)) || CutsList(text.substr(line)))) {
      pieces.push_back(text.substr(start, line - start));
      start = line;
    }
    const size_t end = text.find('\n', line);
    line = end == std::string_view::npos ? text.size() : end + 1;
  }
  if (start < text.size()) pieces.push_back(text.substr(start));
  return pieces;
}

absl::Status ConfigStore::Prepare(Database* db) {
  const std::pair<Statement*, std::string_view> statements[] = {
      {&find_, "SELECT id FROM config_pieces WHERE hash = ?1"},
      {&insert_, "INSERT INTO config_pieces (hash, text) VALUES (?1, ?2)"},
      {&read_, "SELECT text FROM config_pieces WHERE id = ?1"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<Statement> prepared = db->Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = std::move(*prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ConfigStore::PutPiece(Database* db, std::string_view piece) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(piece.data()), piece.size(), hash.data());
  const std::string_view hash_bytes(reinterpret_cast<const char*>(hash.data()), hash.size());
  absl::StatusOr<bool> row = find_.Reset().BindBlob(1, hash_bytes).Step();
  if (!row.ok()) return row.status();
  if (*row) return find_.Int(0);
  absl::Status status = insert_.Reset().BindBlob(1, hash_bytes).Bind(2, piece).Run();
  if (!status.ok()) return status;
  return db->last_insert_id();
}

absl::StatusOr<std::string> ConfigStore::Put(Database* db, std::string_view text) {
  std::string list;
  for (std::string_view piece : CutIntoPieces(text)) {
    absl::StatusOr<int64_t> id = PutPiece(db, piece);
    if (!id.ok()) return id.status();
    AppendId(*id, &list);
  }
  find_.Reset();
  return list;
}

std::vector<int64_t> PieceIds(std::string_view list) {
  std::vector<int64_t> ids;
  for (size_t at = 0; at + kIdBytes <= list.size(); at += kIdBytes) {
    ids.push_back(ReadId(list.substr(at, kIdBytes)));
  }
  return ids;
}

absl::StatusOr<std::string> ConfigStore::Get(std::string_view list) {
  if (list.size() % kIdBytes != 0) return absl::DataLossError("a list of pieces is cut short");
  std::string text;
  for (const int64_t id : PieceIds(list)) {
    absl::StatusOr<bool> row = read_.Reset().Bind(1, id).Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::DataLossError(absl::StrCat("piece ", id, " is missing"));
    text += read_.Text(0);
  }
  read_.Reset();
  return text;
}

}  // namespace evenkeel::history
