// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "control/cli/command.h"
#include "control/cli/history_report.h"
#include "control/json/revision.h"

namespace evenkeel::cli {
namespace {

constexpr uint32_t kMaxListed = 1000;

class History final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("-n,--limit", limit_, "At most this many, default 20")
        ->type_name("COUNT")
        ->check(CLI::Range(1u, kMaxListed).description(""));
    app.add_option("revision", revision_, "This one, with every rule that spoke and all shares")
        ->type_name("REVISION")
        ->check(CLI::Range(uint64_t{1}, std::numeric_limits<uint64_t>::max()).description(""));
    app.add_flag("--export", export_, "All of it as JSON lines, newest first");
    app.add_flag("--health", health_,
                 "Instead, who went out of the tables by its health, and back");
    app.add_option("--pool", pool_, "Of --health: only of this pool")->type_name("NAME");
  }

  ExitCode Run(Session& session) override {
    if (!health_ && !pool_.empty()) {
      return session.FailUsage("--pool belongs to --health; give that, too");
    }
    if (health_ && (export_ || revision_ != 0)) {
      return session.FailUsage(
          "--health lists no revisions: give it without REVISION and --export");
    }
    if (health_) return ListHealth(session);
    if (export_) return Export(session);
    if (revision_ != 0) return ShowOne(session);
    const absl::StatusOr<std::vector<history::Revision>> revisions =
        session.daemon().ListRevisions(limit_);
    if (!revisions.ok()) return session.Fail(revisions.status());
    if (session.json()) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const history::Revision& revision : *revisions) list.push_back(json::ToJson(revision));
      session.PrintJson({{"schema", "evenkeel.history/v1"}, {"revisions", list}});
      return ExitCode::kDone;
    }
    Printer out = session.Out();
    if (revisions->empty()) out.Line("Nothing was applied yet");
    PrintRevisions(out, *revisions, session.env.now_unix_ns());
    return ExitCode::kDone;
  }

 private:
  ExitCode ShowOne(Session& session) const {
    const absl::StatusOr<history::Revision> revision = session.daemon().GetRevision(revision_);
    if (!revision.ok()) return session.Fail(revision.status());
    if (session.json()) {
      session.PrintJson(
          {{"schema", "evenkeel.history/v1"}, {"revisions", {json::ToJson(*revision)}}});
      return ExitCode::kDone;
    }
    Printer out = session.Out();
    PrintRevision(out, *revision, session.env.now_unix_ns());
    return ExitCode::kDone;
  }

  ExitCode ListHealth(Session& session) const {
    const auto changes = session.daemon().ListHealth(limit_, pool_);
    if (!changes.ok()) return session.Fail(changes.status());
    if (session.json()) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const history::HealthChange& change : *changes) list.push_back(json::ToJson(change));
      session.PrintJson({{"schema", "evenkeel.health/v1"}, {"changes", list}});
      return ExitCode::kDone;
    }
    Printer out = session.Out();
    if (changes->empty()) {
      out.Line(pool_.empty() ? "No server went out of a table by its health"
                             : "No server of this pool went out of its table by its health");
    }
    PrintHealthChanges(out, *changes, session.env.now_unix_ns());
    return ExitCode::kDone;
  }

  static ExitCode Export(Session& session) {
    int64_t before_unix_ns = 0;
    while (true) {
      const auto page = session.daemon().ListRevisions(kMaxListed, before_unix_ns);
      if (!page.ok()) return session.Fail(page.status());
      if (page->empty()) return ExitCode::kDone;
      for (const history::Revision& revision : *page) session.PrintJsonLine(json::ToJson(revision));
      before_unix_ns = page->back().created_unix_ns;
    }
  }

  uint64_t revision_ = 0;
  bool export_ = false, health_ = false;
  std::string pool_;
  uint32_t limit_ = 20;
};

}  // namespace

std::unique_ptr<Command> MakeHistory() { return std::make_unique<History>(); }

}  // namespace evenkeel::cli
