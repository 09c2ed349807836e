// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/control_service.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"
#include "control/rpc/alarm_convert.h"
#include "control/rpc/config_convert.h"
#include "control/rpc/enum_convert.h"
#include "control/rpc/explain_convert.h"
#include "control/rpc/peer.h"
#include "control/rpc/state_convert.h"
#include "control/rpc/status.h"
#include "control/rpc/time_convert.h"
#include "control/rpc/vip_convert.h"

namespace evenkeel::rpc {
namespace {

// How soon a watcher that went away without a word is noticed.
constexpr std::chrono::milliseconds kWatchTick{250};
// In one answer of List.
constexpr size_t kMaxVerdictBytes = 16u << 20;

size_t DetailBytes(const grpc::ServerContext& context) {
  const auto found = context.client_metadata().find(kDetailBytesKey);
  if (found == context.client_metadata().end()) return kDefaultDetailBytes;
  uint32_t bytes = 0;
  if (!absl::SimpleAtoi(std::string(found->second.data(), found->second.size()), &bytes)) {
    return kDefaultDetailBytes;
  }
  return std::clamp<size_t>(bytes, kDefaultDetailBytes, kMaxDetailBytes);
}

engine::Edit ReadEdit(const v1::Edit& edit, Problems* problems) {
  engine::Edit result{.pool = edit.pool(), .backend = edit.backend()};
  if (edit.state() != v1::ADMIN_STATE_UNSPECIFIED) {
    result.state = FromProto(edit.state(), "edit.state", problems);
  }
  if (edit.has_weight()) result.weight = edit.weight();
  return result;
}

engine::Change ReadChange(const v1::Change& change, Problems* problems) {
  engine::Change result;
  if (change.has_config()) result.config = ConfigFromProto(change.config(), problems);
  if (change.has_edit()) result.edit = ReadEdit(change.edit(), problems);
  if (change.has_pool()) result.pool = PoolFromProto(change.pool(), "pool", problems);
  return result;
}

std::chrono::seconds ReadSeconds(const google::protobuf::Duration& duration,
                                 const std::string& field, Problems* problems) {
  if (duration.nanos() != 0 || duration.seconds() < 0) {
    AddProblem(problems, field, "is to be whole seconds, not below 0");
    return std::chrono::seconds(0);
  }
  return std::chrono::seconds(duration.seconds());
}

engine::Consent ReadConsent(const v1::Consent& consent, Problems* problems) {
  return {.allow_live = consent.allow_live(),
          .overrides = {consent.overrides().begin(), consent.overrides().end()},
          .expires = ReadSeconds(consent.override_expires(), "consent.override_expires", problems)};
}

std::chrono::milliseconds ReadSampleTime(const google::protobuf::Duration& duration,
                                         Problems* problems) {
  if (duration.seconds() < 0 || duration.nanos() < 0) {
    AddProblem(problems, "sample_for", "is not to be below 0");
    return std::chrono::milliseconds(0);
  }
  return ReadDuration(duration, engine::kMaxSample);
}

grpc::Status CheckSize(const google::protobuf::Message& request) {
  const size_t bytes = request.ByteSizeLong();
  if (bytes <= static_cast<size_t>(kMaxMessageBytes)) return grpc::Status::OK;
  return ToGrpc(absl::ResourceExhaustedError(
      absl::StrCat("the request has ", bytes, " bytes, at most ", kMaxMessageBytes,
                   " are taken; send the pools one by one")));
}

engine::Outcome Invalid(Problems problems) {
  engine::Outcome outcome;
  outcome.kind = engine::Outcome::Kind::kInvalid;
  outcome.diagnostics = std::move(problems);
  return outcome;
}

}  // namespace

ControlService::Running::Running(ControlService* service) : service_(service) {
  std::lock_guard lock(service_->mutex_);
  ++service_->running_;
  if (service_->ending_) status_ = ToGrpc(absl::UnavailableError(kEnding));
}

ControlService::Running::~Running() {
  std::lock_guard lock(service_->mutex_);
  if (--service_->running_ == 0) service_->idle_.notify_all();
}

void ControlService::Drain(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (EventQueue* queue : watchers_) queue->Close();
  idle_.wait_for(lock, grace, [&] { return running_ == 0; });
}

grpc::Status ControlService::Plan(grpc::ServerContext* context, const v1::PlanRequest* request,
                                  v1::PlanResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  if (grpc::Status status = CheckSize(*request); !status.ok()) return status;
  Problems problems;
  engine::Request plan;
  plan.change = ReadChange(request->change(), &problems);
  plan.etag = request->etag();
  plan.consent = ReadConsent(request->consent(), &problems);
  plan.author = DescribePeer(context->peer());
  plan.sample_for = ReadSampleTime(request->sample_for(), &problems);
  const engine::Outcome outcome =
      problems.empty() ? engine_->Plan(plan) : Invalid(std::move(problems));
  // A plan that would be refused is a good answer.
  if (outcome.kind != engine::Outcome::Kind::kRefused) {
    if (grpc::Status status = ToGrpc(outcome, DetailBytes(*context)); !status.ok()) return status;
  }
  *response = ToPlanResponse(outcome);
  return grpc::Status::OK;
}

grpc::Status ControlService::Apply(grpc::ServerContext* context, const v1::ApplyRequest* request,
                                   v1::ApplyResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  if (grpc::Status status = CheckSize(*request); !status.ok()) return status;
  Problems problems;
  engine::Request apply;
  apply.change = ReadChange(request->change(), &problems);
  apply.etag = request->etag();
  apply.reason = request->reason();
  apply.author = DescribePeer(context->peer());
  apply.source = "api";
  apply.validate_only = request->validate_only();
  apply.record_refusal = request->record_refusal();
  apply.ticket = request->ticket();
  apply.window.length = ReadSeconds(request->confirm_within(), "confirm_within", &problems);
  apply.window.auto_confirm = request->auto_confirm();
  apply.consent = ReadConsent(request->consent(), &problems);
  const engine::Outcome outcome =
      problems.empty() ? engine_->Apply(apply) : Invalid(std::move(problems));
  if (grpc::Status status = ToGrpc(outcome, DetailBytes(*context)); !status.ok()) return status;
  *response = ToApplyResponse(outcome);
  return grpc::Status::OK;
}

grpc::Status ControlService::Confirm(grpc::ServerContext* context,
                                     const v1::ConfirmRequest* request,
                                     v1::ConfirmResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const engine::Outcome outcome = engine_->Confirm({.revision = request->revision(),
                                                    .reason = request->reason(),
                                                    .author = DescribePeer(context->peer())});
  if (grpc::Status status = ToGrpc(outcome, DetailBytes(*context)); !status.ok()) return status;
  *response->mutable_applied() = ToProto(outcome.applied, /*with_config=*/false);
  return grpc::Status::OK;
}

grpc::Status ControlService::Cancel(grpc::ServerContext* context, const v1::CancelRequest* request,
                                    v1::ApplyResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const engine::Outcome outcome = engine_->Cancel({.revision = request->revision(),
                                                   .reason = request->reason(),
                                                   .author = DescribePeer(context->peer())});
  if (grpc::Status status = ToGrpc(outcome, DetailBytes(*context)); !status.ok()) return status;
  *response = ToApplyResponse(outcome);
  return grpc::Status::OK;
}

grpc::Status ControlService::Rollback(grpc::ServerContext* context,
                                      const v1::RollbackRequest* request,
                                      v1::ApplyResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const engine::Outcome outcome = engine_->RollBack({.target = request->revision(),
                                                     .last_good = request->last_good(),
                                                     .from = request->from(),
                                                     .reason = request->reason(),
                                                     .ticket = request->ticket(),
                                                     .author = DescribePeer(context->peer()),
                                                     .purge_pinned = request->purge_pinned()});
  if (grpc::Status status = ToGrpc(outcome, DetailBytes(*context)); !status.ok()) return status;
  *response = ToApplyResponse(outcome);
  return grpc::Status::OK;
}

grpc::Status ControlService::Get(grpc::ServerContext* /*context*/, const v1::GetRequest* request,
                                 v1::GetResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const absl::StatusOr<engine::Applied> current = engine_->Get();
  if (!current.ok()) return ToGrpc(current.status());
  uint64_t number = request->revision();
  if (number == 0) {
    *response->mutable_applied() = ToProto(*current, /*with_config=*/true);
    if (current->revision == 0) return grpc::Status::OK;
    number = current->revision;
  }
  const absl::StatusOr<history::Revision> revision = engine_->GetRevision(number);
  if (!revision.ok()) return ToGrpc(revision.status(), absl::StrCat("revisions/", number));
  *response->mutable_revision() = ToProto(*revision);
  response->set_verdict_json(revision->verdict_json);
  if (request->revision() == 0) return grpc::Status::OK;

  // A past revision has no etag: nothing can be applied against it.
  model::ParseResult parsed =
      model::ParseYaml(revision->config_yaml, absl::StrCat("revision ", number));
  if (!parsed.ok()) {
    return ToGrpc(
        absl::DataLossError(absl::StrCat("the configuration recorded as revision ", number,
                                         " is not valid: ", parsed.diagnostics[0].ToString())));
  }
  v1::AppliedState* applied = response->mutable_applied();
  *applied->mutable_config() = ToProto(parsed.config);
  applied->set_revision(revision->number);
  applied->set_digest(revision->digest);
  applied->set_author(revision->author);
  applied->set_reason(revision->reason);
  applied->set_ticket(revision->ticket);
  applied->set_standing(response->revision().standing());
  applied->set_restores(revision->restores);
  *applied->mutable_applied_at() = response->revision().created_at();
  return grpc::Status::OK;
}

grpc::Status ControlService::List(grpc::ServerContext* /*context*/, const v1::ListRequest* request,
                                  v1::ListResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const auto revisions = engine_->ListRevisions(request->limit(), ReadTime(request->before()));
  if (!revisions.ok()) return ToGrpc(revisions.status());
  size_t bytes = 0;
  for (const history::Revision& revision : *revisions) {
    bytes += revision.verdict_json.size();
    if (bytes > kMaxVerdictBytes && response->revisions_size() > 0) break;
    v1::RevisionInfo* info = response->add_revisions();
    *info = ToProto(revision);
    info->set_verdict_json(revision.verdict_json);
  }
  return grpc::Status::OK;
}

grpc::Status ControlService::ListHealth(grpc::ServerContext* /*context*/,
                                        const v1::ListHealthRequest* request,
                                        v1::ListHealthResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const auto changes =
      engine_->ListHealth(request->limit(), request->pool(), ReadTime(request->before()));
  if (!changes.ok()) return ToGrpc(changes.status());
  for (const history::HealthChange& change : *changes) *response->add_changes() = ToProto(change);
  return grpc::Status::OK;
}

grpc::Status ControlService::Explain(grpc::ServerContext* /*context*/,
                                     const v1::ExplainRequest* request,
                                     v1::ExplainResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const absl::StatusOr<engine::ExplainRequest> asked = FromProto(*request);
  if (!asked.ok()) return ToGrpc(asked.status());
  const absl::StatusOr<engine::ExplainReport> report = engine_->Explain(*asked);
  if (!report.ok()) return ToGrpc(report.status());
  *response = ToProto(*report);
  return grpc::Status::OK;
}

grpc::Status ControlService::Status(grpc::ServerContext* /*context*/,
                                    const v1::StatusRequest* request,
                                    v1::StatusResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const absl::StatusOr<engine::Status> status = engine_->GetStatus(
      request->quick() ? engine::StatusDepth::kQuick : engine::StatusDepth::kFull);
  if (!status.ok()) return ToGrpc(status.status());
  *response = ToProto(*status);
  return grpc::Status::OK;
}

grpc::Status ControlService::Diagnose(grpc::ServerContext* /*context*/,
                                      const v1::DiagnoseRequest* request,
                                      v1::DiagnoseResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const absl::StatusOr<std::vector<engine::Finding>> findings =
      engine_->Diagnose({.probe = request->probe()});
  if (!findings.ok()) return ToGrpc(findings.status());
  *response = ToProto(*findings);
  return grpc::Status::OK;
}

grpc::Status ControlService::Withdraw(grpc::ServerContext* context,
                                      const v1::WithdrawRequest* request,
                                      v1::WithdrawResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const auto report =
      engine_->Withdraw(WithdrawalFromProto(*request, DescribePeer(context->peer())));
  if (!report.ok()) return ToGrpc(report.status());
  ReportToProto(*report, response);
  return grpc::Status::OK;
}

grpc::Status ControlService::Announce(grpc::ServerContext* context,
                                      const v1::AnnounceRequest* request,
                                      v1::AnnounceResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const auto report =
      engine_->Announce(WithdrawalFromProto(*request, DescribePeer(context->peer())));
  if (!report.ok()) return ToGrpc(report.status());
  ReportToProto(*report, response);
  return grpc::Status::OK;
}

grpc::Status ControlService::Acknowledge(grpc::ServerContext* context,
                                         const v1::AcknowledgeRequest* request,
                                         v1::AcknowledgeResponse* response) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const auto alarms =
      engine_->Acknowledge({.id = request->id(), .author = DescribePeer(context->peer())});
  if (!alarms.ok()) return ToGrpc(alarms.status());
  for (const detect::Alarm& alarm : *alarms) Encode(alarm, response->add_alarms());
  return grpc::Status::OK;
}

grpc::Status ControlService::AddWatcher(EventQueue* queue) {
  std::lock_guard lock(mutex_);
  if (watchers_.size() >= kMaxWatchers) {
    return ToGrpc(absl::ResourceExhaustedError(
        absl::StrCat("there are ", kMaxWatchers, " watchers already; end one of them")));
  }
  watchers_.insert(queue);
  return grpc::Status::OK;
}

void ControlService::RemoveWatcher(EventQueue* queue) {
  std::lock_guard lock(mutex_);
  watchers_.erase(queue);
}

grpc::Status ControlService::SendEvents(grpc::ServerContext* context, EventQueue* queue,
                                        grpc::ServerWriter<v1::WatchResponse>* writer) {
  while (!context->IsCancelled()) {
    if (queue->closed()) return ToGrpc(absl::UnavailableError(kEnding));
    const std::optional<engine::Event> event = queue->Pop(kWatchTick);
    if (event.has_value()) {
      if (!writer->Write(ToProto(*event))) break;
    } else if (queue->lost() > 0) {
      return ToGrpc(absl::ResourceExhaustedError(
          absl::StrCat("this watcher reads too slowly, ", queue->lost(),
                       " events were lost; call Get for the state in force and watch again")));
    }
  }
  return {grpc::StatusCode::CANCELLED, "the watcher went away"};
}

grpc::Status ControlService::Watch(grpc::ServerContext* context,
                                   const v1::WatchRequest* /*request*/,
                                   grpc::ServerWriter<v1::WatchResponse>* writer) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  EventQueue queue;
  if (grpc::Status status = AddWatcher(&queue); !status.ok()) return status;
  // First the subscription, then the state: an event between the two is told twice, not lost.
  const uint64_t id =
      engine_->Subscribe([&queue](const engine::Event& event) { queue.Push(event); });
  const absl::StatusOr<engine::Applied> current = engine_->Get();
  grpc::Status status = ToGrpc(current.status());
  if (status.ok()) {
    v1::WatchResponse first;
    first.set_kind(v1::WatchResponse::CURRENT);
    first.set_revision(current->revision);
    first.set_subject("revision");
    first.set_message(current->etag);
    *first.mutable_time() = ToProto(*current, /*with_config=*/false).applied_at();
    status = writer->Write(first) ? SendEvents(context, &queue, writer)
                                  : grpc::Status(grpc::StatusCode::CANCELLED, "");
  }
  engine_->Unsubscribe(id);
  RemoveWatcher(&queue);
  return status;
}

}  // namespace evenkeel::rpc
