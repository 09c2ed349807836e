// SPDX-License-Identifier: Apache-2.0
#include "control/cli/plan_file.h"

#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/numbers.h"
#include "control/cli/cat.h"
#include "control/cli/private_file.h"
#include "control/cli/text.h"
#include "control/guard/digest.h"
#include "control/model/bounded_file.h"

namespace evenkeel::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kSchemaPrefix = "evenkeel.plan-file/v";
constexpr uint32_t kVersion = 1;
// How every file begins that PlanText() made, of whatever version.
constexpr std::string_view kBeginning = "{\n  \"schema\": \"evenkeel.plan-file/v";
constexpr int kDeepest = 4;

// SHA-256 of the document without its digest, keys sorted and no white space, so that only a
// change of meaning changes it.
std::string DigestOf(json document) {
  document.erase("digest");
  const std::string body = document.dump();
  guard::Digest digest;
  unsigned int length = 0;
  if (EVP_Digest(body.data(), body.size(), digest.bytes.data(), &length, EVP_sha256(), nullptr) !=
      1) {
    return "";  // equals no digest that is written
  }
  return digest.ToHex();
}

absl::Status Problem(const std::string& path, std::string_view what) {
  return absl::InvalidArgumentError(
      Cat(path, ": ", what, "; make a new one with evenkeel plan --out"));
}

// Nothing but an object of a few levels: what nests deeper is left out while it is read.
json Parse(std::string_view text) {
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= kDeepest; };
  return json::parse(text, shallow, /*allow_exceptions=*/false);
}

std::optional<std::string> TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

absl::Status CheckVersion(const json& document, const std::string& path) {
  const std::string schema = TextAt(document, "schema").value_or("");
  uint32_t version = 0;
  if (!schema.starts_with(kSchemaPrefix) ||
      !absl::SimpleAtoi(schema.substr(kSchemaPrefix.size()), &version)) {
    return Problem(path, "is not a plan");
  }
  if (version == kVersion) return absl::OkStatus();
  return Problem(path, Cat("is a plan of format ", version, ", and this evenkeel reads format ",
                           kVersion, " only"));
}

// The whole configuration, or of it the one pool.
absl::StatusOr<engine::Change> ParseChange(const json& document, const std::string& pool,
                                           const std::string& path) {
  const std::optional<std::string> yaml = TextAt(document, "config");
  if (!yaml) return Problem(path, "has no configuration");
  model::ParseResult parsed = model::ParseYaml(*yaml, Cat(path, " (config)"));
  if (!parsed.ok()) {
    return Problem(path, Cat("has a configuration that is not valid (",
                             parsed.diagnostics.front().ToString(), ")"));
  }
  engine::Change change;
  if (pool.empty()) {
    change.config = std::move(parsed.config);
    return change;
  }
  const model::Pool* found = parsed.config.FindPool(pool);
  if (found == nullptr) return Problem(path, Cat("has no pool \"", pool, "\""));
  change.pool = *found;
  return change;
}

std::string ConfigYaml(const engine::Change& change) {
  if (change.config) return model::ToYaml(*change.config);
  model::Config alone;
  alone.pools.push_back(*change.pool);
  return model::ToYaml(alone);
}

bool BeginsAsAPlan(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string beginning(kBeginning.size(), '\0');
  in.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return in.good() && beginning == kBeginning;
}

}  // namespace

std::string PlanText(const SavedPlan& plan) {
  ordered_json document = {{"schema", kPlanFileSchema},
                           {"created_at", Rfc3339(plan.created_unix_ns)},
                           {"created_unix_ns", plan.created_unix_ns},
                           {"source", plan.source},
                           {"pool", plan.pool},
                           {"revision", plan.revision},
                           {"etag", plan.etag},
                           {"verdict", plan.verdict},
                           {"rules", plan.rules},
                           {"config", ConfigYaml(plan.change)}};
  constexpr auto kReplace = ordered_json::error_handler_t::replace;
  // Names of files need not be UTF-8: the digest is of what a reader will see.
  document["digest"] = DigestOf(json::parse(document.dump(-1, ' ', true, kReplace)));
  return document.dump(2, ' ', /*ensure_ascii=*/true, kReplace) + "\n";
}

absl::StatusOr<SavedPlan> ParsePlan(std::string_view text, const std::string& path) {
  const json document = Parse(text);
  if (document.is_discarded() || !document.is_object()) {
    return Problem(path, "is not a plan, or is damaged");
  }
  if (absl::Status status = CheckVersion(document, path); !status.ok()) return status;
  if (TextAt(document, "digest") != DigestOf(document)) {
    return Problem(path,
                   "was edited or damaged since it was made: its digest is not that of its "
                   "content");
  }
  SavedPlan plan;
  plan.source = TextAt(document, "source").value_or("");
  plan.pool = TextAt(document, "pool").value_or("");
  plan.etag = TextAt(document, "etag").value_or("");
  plan.verdict = TextAt(document, "verdict").value_or("");
  const auto revision = document.find("revision"), created = document.find("created_unix_ns");
  if (plan.etag.empty() || revision == document.end() || !revision->is_number_unsigned() ||
      created == document.end() || !created->is_number_integer()) {
    return Problem(path, "does not say what it was made against");
  }
  plan.revision = revision->get<uint64_t>();
  plan.created_unix_ns = created->get<int64_t>();
  for (const json& rule : document.value("rules", json::array())) {
    if (rule.is_string()) plan.rules.push_back(rule.get<std::string>());
  }
  absl::StatusOr<engine::Change> change = ParseChange(document, plan.pool, path);
  if (!change.ok()) return change.status();
  plan.change = *std::move(change);
  return plan;
}

absl::StatusOr<SavedPlan> ReadPlanFile(const std::string& path) {
  const absl::StatusOr<std::string> text =
      model::ReadBounded(path, kMaxPlanFileBytes, "is it a plan? evenkeel plan --out makes one");
  if (!text.ok()) return text.status();
  return ParsePlan(*text, path);
}

absl::Status ClearPlanFile(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, Cat(path, ": cannot hold a plan"));
  }
  const char* problem = nullptr;
  if (S_ISLNK(info.st_mode)) {
    problem = "is a symbolic link; name the file itself";
  } else if (!S_ISREG(info.st_mode)) {
    problem = "is not a file; name one";
  } else if (info.st_size > 0 && !BeginsAsAPlan(path)) {
    problem = "exists and is not a plan; remove it, or name another file";
  }
  if (problem != nullptr) return absl::FailedPreconditionError(Cat(path, ": ", problem));
  if (unlink(path.c_str()) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, Cat(path, ": an older plan cannot be removed"));
}

absl::Status WritePlanFile(const std::string& path, const SavedPlan& plan) {
  const std::string text = PlanText(plan);
  if (text.size() > kMaxPlanFileBytes) {
    return absl::ResourceExhaustedError(Cat(path, ": the plan has ", text.size(),
                                            " bytes, at most ", kMaxPlanFileBytes,
                                            "; apply the configuration itself with --file"));
  }
  return WritePrivately(path, text);
}

}  // namespace evenkeel::cli
