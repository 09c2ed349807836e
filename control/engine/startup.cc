// SPDX-License-Identifier: Apache-2.0
//
// LocalEngine::Start: the recorded state wins over the file and over what the kernel holds
// (docs/adr/0031-state-wins-over-the-file.md).
#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"
#include "control/engine/recorded.h"
#include "control/engine/verdict_json.h"

namespace evenkeel::engine {
namespace {

using AdoptState = publish::AdoptReport::State;

// An evaluation that ended without a built state says why as a Status.
absl::Status WhyNotBuilt(const Evaluation& evaluation, const std::string& what) {
  if (!evaluation.status.ok()) return evaluation.status;
  if (!evaluation.diagnostics.empty()) {
    return absl::DataLossError(
        absl::StrCat(what, " cannot be built: ", evaluation.diagnostics[0].ToString()));
  }
  return absl::InternalError(
      absl::StrCat(what, " cannot be judged: ", evaluation.verdict.violations[0].message));
}

std::shared_ptr<State> MakeState(const history::Revision& revision, const Evaluation& evaluation,
                                 std::shared_ptr<const guard::BuiltFleet> kernel) {
  auto state = std::make_shared<State>();
  state->applied = MakeApplied(revision, evaluation.candidate->digest);
  state->desired = evaluation.candidate;
  state->intended = evaluation.effective;
  if (evaluation.effective != evaluation.candidate) state->admission = evaluation.admission;
  state->kernel = std::move(kernel);
  return state;
}

// Its time to be confirmed has passed.
bool IsOver(const history::Revision& revision, int64_t now_unix_ns) {
  return revision.standing == history::Standing::kAwaiting &&
         now_unix_ns >= revision.deadline_unix_ns;
}

std::string Join(const std::string& first, const std::string& second) {
  return first.empty() ? second : absl::StrCat(first, "; ", second);
}

}  // namespace

// Begin is durable before the kernel is touched, so a revision that is still pending was cut off
// somewhere between: what the kernel forwards with decides on which side of the swap.
absl::StatusOr<std::string> LocalEngine::SettlePending() {
  absl::StatusOr<std::vector<history::Revision>> pending = deps_.history->Pending();
  if (!pending.ok()) return pending.status();
  if (pending->empty()) return std::string();
  const absl::StatusOr<publish::KernelState> kernel = deps_.kernel->ReadKernelState();
  if (!kernel.ok() && !absl::IsNotFound(kernel.status())) return kernel.status();

  std::string report;
  for (auto revision = pending->rbegin(); revision != pending->rend(); ++revision) {
    const bool applied =
        kernel.ok() && revision->number == kernel->revision &&
        kernel->digest.ToHex() ==
            (revision->kernel_digest.empty() ? revision->digest : revision->kernel_digest);
    const absl::Status finished = deps_.history->Finish(
        revision->number, applied ? history::Outcome::kApplied : history::Outcome::kFailed,
        applied ? "" : "the daemon ended before it was published");
    if (!finished.ok()) return finished;
    report =
        Join(report,
             absl::StrCat("revision ", revision->number, " was under way when the daemon ended: ",
                          applied ? "the kernel has it, recorded as applied"
                                  : "the kernel does not have it, recorded as failed"));
  }
  return report;
}

absl::StatusOr<StartReport> LocalEngine::Start(const Bootstrap* bootstrap) {
  absl::StatusOr<std::string> settled = SettlePending();
  if (!settled.ok()) return settled.status();
  absl::StatusOr<std::optional<history::Revision>> last = deps_.history->LastApplied();
  if (!last.ok()) return last.status();

  absl::StatusOr<std::optional<history::Revision>> good = deps_.history->LastGood();
  if (!good.ok()) return good.status();

  if (auto status = ReadWithdrawals(); !status.ok()) return status;

  std::lock_guard serial(apply_mutex_);
  absl::StatusOr<StartReport> report = last->has_value()      ? StartFromHistory(**last)
                                       : bootstrap != nullptr ? StartFromBootstrap(*bootstrap)
                                                              : StartEmpty();
  if (!report.ok()) return report;
  report->adoption = Join(*settled, report->adoption);
  std::lock_guard lock(state_mutex_);
  adoption_ = report->adoption;
  last_good_ = good->has_value() ? (*good)->number : 0;
  return report;
}

absl::StatusOr<StartReport> LocalEngine::StartFromHistory(const history::Revision& last) {
  absl::StatusOr<model::Config> config = ParseRecorded(last);
  if (!config.ok()) return config.status();
  absl::StatusOr<health::Admission> admission = ReadHealth();
  if (!admission.ok()) return admission.status();
  recorded_admission_ = *admission;
  Evaluation evaluation = EvaluateAlone(*config, deps_.court, *admission);
  // With everybody in, where the guard does not accept it otherwise; the probes will tell.
  if (evaluation.kind == Outcome::Kind::kRefused && !admission->empty()) {
    evaluation = EvaluateAlone(*config, deps_.court);
  }
  const std::string name = absl::StrCat("revision ", last.number);
  if (evaluation.candidate == nullptr) return WhyNotBuilt(evaluation, name);
  if (evaluation.candidate->digest.ToHex() != last.digest) {
    SetNotice("rebuilt", absl::StrCat(name, " was recorded with digest ", last.digest.substr(0, 12),
                                      " and builds to ", evaluation.candidate->digest.ToShort(),
                                      ": the hash key or the table builder has changed"));
  }
  absl::StatusOr<publish::AdoptReport> adopted = deps_.kernel->Adopt(evaluation.effective);
  if (!adopted.ok()) return adopted.status();

  StartReport report;
  report.revision = last.number;
  report.adoption = adopted->message;
  if (adopted->state != AdoptState::kMatches && !IsOver(last, deps_.now_unix_ns())) {
    if (auto status = BringBack(last, evaluation, &report); !status.ok()) return status;
  }
  SetState(MakeState(last, evaluation, deps_.kernel->applied()));
  ResumeWindow(last, &report);
  return report;
}

// A window goes on where the former daemon left it. One that ended meanwhile, watched by nobody,
// ends in a rollback also where it would have confirmed by itself.
void LocalEngine::ResumeWindow(const history::Revision& last, StartReport* report) {
  const int64_t length = last.deadline_unix_ns - last.created_unix_ns;
  OpenWindow(last, std::clamp<int64_t>(last.deadline_unix_ns - deps_.now_unix_ns(), 0, length));
  if (!IsOver(last, deps_.now_unix_ns())) return;
  const std::shared_ptr<const State> state = Snapshot();
  const Outcome outcome =
      LeaveWindow("its time to be confirmed ended while the daemon was not running", *state);
  report->revision = Snapshot()->applied.revision;
  report->wrote |= outcome.kind == Outcome::Kind::kApplied;
  report->adoption =
      Join(report->adoption,
           outcome.kind == Outcome::Kind::kApplied
               ? absl::StrCat("revision ", last.number, " was not confirmed in time, revision ",
                              outcome.applied.restores, " is back as revision ", report->revision)
               : absl::StrCat("revision ", last.number,
                              " was not confirmed in time and is to be rolled "
                              "back"));
}

absl::Status LocalEngine::BringBack(const history::Revision& last, const Evaluation& evaluation,
                                    StartReport* report) {
  const std::string name = absl::StrCat("revision ", last.number);
  if (!evaluation.approval.has_value()) {
    const std::string text =
        absl::StrCat(name, " is the last applied one, but the guard now refuses it: ",
                     SummarizeRefusal(evaluation.verdict),
                     "; the kernel was left as it was, apply a state that passes");
    SetNotice("restore", text);
    report->adoption = Join(report->adoption, text);
    return absl::OkStatus();
  }
  absl::StatusOr<publish::PublishResult> restored =
      deps_.kernel->Restore(*evaluation.approval, last.number);
  if (!restored.ok()) {
    return absl::Status(
        restored.status().code(),
        absl::StrCat(name, " could not be restored: ", restored.status().message()));
  }
  report->wrote = true;
  report->adoption = Join(report->adoption, absl::StrCat(name, " restored"));
  return absl::OkStatus();
}

absl::StatusOr<StartReport> LocalEngine::StartFromBootstrap(const Bootstrap& bootstrap) {
  Evaluation evaluation = EvaluateAlone(bootstrap.config, deps_.court);
  StartReport report;
  if (evaluation.kind == Outcome::Kind::kFailed) return evaluation.status;
  if (!evaluation.approval.has_value()) {
    report.adoption = absl::StrCat(bootstrap.path, " was refused, nothing was written");
    report.rejected_bootstrap = std::move(evaluation);
    return report;
  }
  absl::StatusOr<publish::AdoptReport> adopted = deps_.kernel->Adopt(evaluation.candidate);
  if (!adopted.ok()) return adopted.status();
  report.adoption = adopted->message;

  history::Revision record;
  record.author = "evenkeeld";
  record.reason = absl::StrCat("first start with ", bootstrap.path);
  record.source = "bootstrap";
  record.created_unix_ns = deps_.now_unix_ns();
  record.digest = evaluation.candidate->digest.ToHex();
  record.config_yaml = text_.Of(*evaluation.candidate);
  record.verdict_json = VerdictToJson(evaluation.verdict);
  absl::StatusOr<uint64_t> number = deps_.history->Begin(record);
  if (!number.ok()) return number.status();
  record.number = *number;
  if (adopted->state != AdoptState::kMatches) {
    if (auto status = PublishBootstrap(*number, evaluation, &report); !status.ok()) return status;
  }
  if (auto status = deps_.history->Finish(*number, history::Outcome::kApplied, ""); !status.ok()) {
    return status;
  }
  report.revision = *number;
  report.adoption = Join(report.adoption, absl::StrCat(bootstrap.path, " is revision ", *number));
  SetState(MakeState(record, evaluation, deps_.kernel->applied()));
  OpenWindow(record, 0);
  return report;
}

absl::Status LocalEngine::PublishBootstrap(uint64_t number, const Evaluation& evaluation,
                                           StartReport* report) {
  absl::StatusOr<publish::PublishResult> published =
      deps_.kernel->Restore(*evaluation.approval, number);
  if (published.ok()) {
    report->wrote = true;
    return absl::OkStatus();
  }
  const std::string error(published.status().message());
  if (auto status = deps_.history->Finish(number, history::Outcome::kFailed, error); !status.ok()) {
    spdlog::error("{}", std::string(status.message()));
  }
  return absl::Status(published.status().code(),
                      absl::StrCat("the first state could not be published: ", error));
}

absl::StatusOr<StartReport> LocalEngine::StartEmpty() {
  absl::StatusOr<publish::AdoptReport> adopted = deps_.kernel->Adopt(nullptr);
  if (!adopted.ok()) return adopted.status();
  StartReport report;
  report.adoption = adopted->message;
  const std::string remedy = "apply a configuration with `evenkeel apply -f FILE`";
  if (adopted->state == AdoptState::kEmpty) {
    report.adoption = Join(report.adoption, "nothing is published and nothing was ever applied");
    SetNotice("empty", absl::StrCat("nothing is published; ", remedy));
  } else {
    SetNotice("unknown-state",
              absl::StrCat("the kernel forwards with a state that the history does not know (it "
                           "notes revision ",
                           adopted->revision, "); it stays; ", remedy));
  }
  auto state = std::make_shared<State>(*Snapshot());
  state->kernel = deps_.kernel->applied();
  SetState(std::move(state));
  return report;
}

void LocalEngine::CompareFile(const std::string& path, const model::Config* config,
                              const std::string& problem) {
  const std::shared_ptr<const State> state = Snapshot();
  if (config == nullptr) {
    SetNotice("file", absl::StrCat("the config file ", path, " cannot be used (", problem,
                                   "); revision ", state->applied.revision, " stays in force"));
    return;
  }
  if (*config == state->desired->ToConfig()) {
    SetNotice("file", "");
    return;
  }
  SetNotice(
      "file",
      absl::StrCat("the config file ", path, " differs from revision ", state->applied.revision,
                   ", which stays in force; to apply the file: evenkeel apply -f ", path));
}

}  // namespace evenkeel::engine
