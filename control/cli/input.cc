// SPDX-License-Identifier: Apache-2.0
#include "control/cli/input.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "control/cli/cat.h"
#include "control/cli/text.h"
#include "control/model/config_file.h"

namespace evenkeel::cli {
namespace {

constexpr size_t kHashKeyBytes = std::tuple_size_v<maglev::HashKey>;
constexpr size_t kMaxHashKeyFile = 256;

std::optional<size_t> PoolIndex(const model::Config& config, std::string_view name) {
  for (size_t i = 0; i < config.pools.size(); ++i) {
    if (config.pools[i].name == name) return i;
  }
  return std::nullopt;
}

// "pools[3].backends[0]" -> ".backends[0]"; nullopt for other fields.
std::optional<std::string_view> BelowPool(std::string_view field) {
  if (!field.starts_with("pools[")) return std::nullopt;
  const size_t close = field.find(']');
  if (close == std::string_view::npos) return std::nullopt;
  return field.substr(close + 1);
}

model::SourceLocation FindInPool(const ConfigFile& file, std::string_view pool,
                                 std::string_view below) {
  const std::optional<size_t> index = PoolIndex(file.config, pool);
  if (!index) return {.file = file.path};
  return file.sources.Find(Cat("pools[", *index, "]", below));
}

}  // namespace

ConfigFile ReadConfigFile(const std::string& path) {
  ConfigFile file;
  file.path = path == "-" ? "<stdin>" : path;
  const absl::StatusOr<std::string> text = model::ReadConfigText(path);
  if (!text.ok()) {
    std::string message(text.status().message());
    // The place already names the file.
    if (message.starts_with(path + ": ")) message.erase(0, path.size() + 2);
    file.errors.push_back({.location = {.file = file.path}, .field = "", .message = message});
    return file;
  }
  model::ParseResult parsed = model::ParseYaml(*text, file.path, model::ListsBeside(path));
  file.config = std::move(parsed.config);
  file.sources = std::move(parsed.sources);
  file.errors = std::move(parsed.diagnostics);
  return file;
}

absl::StatusOr<engine::Change> MakeChange(const ConfigFile& file, const std::string& pool) {
  engine::Change change;
  if (pool.empty()) {
    change.config = file.config;
    return change;
  }
  if (const model::Pool* found = file.config.FindPool(pool); found != nullptr) {
    change.pool = *found;
    return change;
  }
  std::vector<std::string> names;
  for (const model::Pool& p : file.config.pools) names.push_back(p.name);
  const std::string nearest = Nearest(pool, names);
  return absl::NotFoundError(Cat(file.path, " has no pool \"", pool, "\"",
                                 nearest.empty() ? "" : Cat(" (did you mean \"", nearest, "\"?)")));
}

model::SourceLocation Locate(const ConfigFile& file, const guard::Violation& violation) {
  const std::optional<std::string_view> below = BelowPool(violation.field);
  if (below && !violation.pool.empty()) return FindInPool(file, violation.pool, *below);
  if (violation.field.empty()) {
    return violation.pool.empty() ? model::SourceLocation{.file = file.path}
                                  : FindInPool(file, violation.pool, "");
  }
  return file.sources.Find(violation.field);
}

model::SourceLocation Locate(const ConfigFile& file, const model::Diagnostic& diagnostic,
                             const std::string& pool) {
  if (diagnostic.location.line != 0) return diagnostic.location;
  if (pool.empty()) return file.sources.Find(diagnostic.field);
  // Of a pool sent alone, "pool.backends[0]" or "pools[3].backends[0]".
  const std::string_view field = diagnostic.field;
  if (const auto below = BelowPool(field)) return FindInPool(file, pool, *below);
  if (!field.starts_with("pool")) return {.file = file.path};
  return FindInPool(file, pool, field.substr(std::string_view("pool").size()));
}

absl::StatusOr<maglev::HashKey> ReadHashKey(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxHashKeyFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.gcount() == 0 && !in.eof())) {
    return absl::NotFoundError(
        Cat(path, ": cannot read the hash key; is the path right and readable?"));
  }
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() != kHashKeyBytes) {
    const std::string digits(absl::StripAsciiWhitespace(text));
    const bool hex = digits.size() == 2 * kHashKeyBytes &&
                     std::all_of(digits.begin(), digits.end(),
                                 [](unsigned char c) { return absl::ascii_isxdigit(c); });
    if (!hex) {
      return absl::InvalidArgumentError(
          Cat(path, ": not a hash key; expected 16 bytes or 32 hexadecimal digits, found ",
              text.size() > kMaxHashKeyFile ? "more" : Plural(text.size(), "byte")));
    }
    text = absl::HexStringToBytes(digits);
  }
  maglev::HashKey key;
  std::copy(text.begin(), text.end(), key.begin());
  return key;
}

}  // namespace evenkeel::cli
