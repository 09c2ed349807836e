// SPDX-License-Identifier: Apache-2.0
#include "control/cli/stored_state.h"

#include "absl/strings/numbers.h"
#include "control/cli/cat.h"
#include "control/model/yaml.h"

namespace evenkeel::cli {
namespace {

absl::StatusOr<StoredState> InForce(Session& session) {
  const absl::StatusOr<engine::Applied> applied = session.daemon().Get();
  if (!applied.ok()) return applied.status();
  return StoredState{.revision = applied->revision,
                     .etag = applied->etag,
                     .digest = applied->digest.ToHex(),
                     .author = applied->author,
                     .reason = applied->reason,
                     .unix_ns = applied->applied_unix_ns,
                     .failure = "",
                     .config = applied->config};
}

std::string Failure(const history::Revision& revision) {
  if (revision.outcome != history::Outcome::kFailed) return "";
  return revision.error.empty() ? "publishing failed" : revision.error;
}

}  // namespace

absl::StatusOr<StoredState> LoadState(Session& session, const std::string& revision) {
  if (revision.empty()) return InForce(session);
  uint64_t number = 0;
  if (!absl::SimpleAtoi(revision, &number) || number == 0) {
    return absl::InvalidArgumentError(
        Cat("\"", revision, "\" is not a revision; expected a number from evenkeel history"));
  }
  const absl::StatusOr<history::Revision> stored = session.daemon().GetRevision(number);
  if (!stored.ok()) return stored.status();
  model::ParseResult parsed = model::ParseYaml(stored->config_yaml, Cat("revision ", number));
  if (!parsed.ok()) {
    return absl::DataLossError(Cat("revision ", number, " as stored is not a valid configuration: ",
                                   parsed.diagnostics.front().ToString()));
  }
  return StoredState{.revision = number,
                     .etag = "",
                     .digest = stored->digest,
                     .author = stored->author,
                     .reason = stored->reason,
                     .unix_ns = stored->created_unix_ns,
                     .failure = Failure(*stored),
                     .config = std::move(parsed.config)};
}

}  // namespace evenkeel::cli
