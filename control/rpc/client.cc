// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/client.h"

#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"
#include "control/rpc/alarm_convert.h"
#include "control/rpc/capture_client.h"
#include "control/rpc/config_convert.h"
#include "control/rpc/drain_client.h"
#include "control/rpc/enum_convert.h"
#include "control/rpc/explain_convert.h"
#include "control/rpc/state_convert.h"
#include "control/rpc/status.h"
#include "control/rpc/time_convert.h"
#include "control/rpc/vip_convert.h"
#include "control/rpc/watch_client.h"

namespace evenkeel::rpc {
namespace {

using OutcomeKind = engine::Outcome::Kind;

constexpr std::chrono::seconds kReadDeadline{30};
constexpr std::chrono::seconds kApplyDeadline{60};
constexpr std::chrono::milliseconds kSubscribeTimeout{2000};
constexpr int kMaxAnswerBytes = 256 << 20;

// Why nobody answers on the socket, from a plain connect.
absl::Status DiagnoseSocket(const std::string& socket, const std::string& otherwise) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.empty() || socket.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket path ", socket, " is empty or too long for a Unix socket"));
  }
  std::memcpy(address.sun_path, socket.data(), socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = rc == 0 ? 0 : errno;
  ::close(fd);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::UnavailableError(
          absl::StrCat("no daemon: there is no socket ", socket,
                       "; start evenkeeld, or name its socket with --socket"));
    case ECONNREFUSED:
      return absl::UnavailableError(absl::StrCat("no daemon: nobody listens on ", socket,
                                                 "; start evenkeeld (systemctl start evenkeeld)"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          "no permission to use ", socket, "; run as root or as a member of the socket's group"));
    default:
      return absl::UnavailableError(
          absl::StrCat("the daemon at ", socket, " does not answer: ", otherwise));
  }
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(2 * kMaxDetailBytes));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // The least that a connection may take, for a busy host; a daemon that is not there fails at
  // once.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(absl::StrCat("unix:", socket),
                                   grpc::InsecureChannelCredentials(), arguments);
}

std::shared_ptr<v1::Control::Stub> MakeStub(const std::string& socket) {
  return v1::Control::NewStub(MakeChannel(socket));
}

void Prepare(grpc::ClientContext* context, std::chrono::seconds deadline) {
  context->set_deadline(std::chrono::system_clock::now() + deadline);
  context->AddMetadata(kDetailBytesKey, absl::StrCat(kMaxDetailBytes));
}

void WriteChange(const engine::Change& change, v1::Change* out) {
  if (change.config.has_value()) *out->mutable_config() = ToProto(*change.config);
  if (change.pool.has_value()) *out->mutable_pool() = ToProto(*change.pool);
  if (!change.edit.has_value()) return;
  v1::Edit* edit = out->mutable_edit();
  edit->set_pool(change.edit->pool);
  edit->set_backend(change.edit->backend);
  if (change.edit->state) edit->set_state(ToProto(*change.edit->state));
  if (change.edit->weight) edit->set_weight(*change.edit->weight);
}

void WriteConsent(const engine::Consent& consent, v1::Consent* out) {
  out->set_allow_live(consent.allow_live);
  for (const std::string& rule : consent.overrides) out->add_overrides(rule);
  if (consent.expires.count() != 0) {
    out->mutable_override_expires()->set_seconds(consent.expires.count());
  }
}

engine::Outcome Failed(absl::Status status) {
  engine::Outcome outcome;
  outcome.status = std::move(status);
  return outcome;
}

class Client final : public engine::Engine {
 public:
  explicit Client(const std::string& socket) : socket_(socket), stub_(MakeStub(socket)) {}

  engine::Outcome Plan(const engine::Request& request) override;
  engine::Outcome Apply(const engine::Request& request) override;
  engine::Outcome Confirm(const engine::Settlement& settlement) override;
  engine::Outcome Cancel(const engine::Settlement& settlement) override;
  engine::Outcome RollBack(const engine::Rollback& rollback) override;
  absl::StatusOr<engine::Applied> Get() override;
  absl::StatusOr<history::Revision> GetRevision(uint64_t number) override;
  absl::StatusOr<std::vector<history::Revision>> ListRevisions(uint32_t limit,
                                                               int64_t before_unix_ns) override;
  absl::StatusOr<engine::Status> GetStatus(engine::StatusDepth depth) override;
  absl::StatusOr<std::vector<engine::Finding>> Diagnose(
      const engine::DiagnoseOptions& options = {}) override;
  absl::StatusOr<std::vector<detect::Alarm>> Acknowledge(
      const engine::Acknowledgement& request) override;
  absl::StatusOr<engine::WithdrawalReport> Withdraw(
      const engine::WithdrawalRequest& request) override;
  absl::StatusOr<engine::WithdrawalReport> Announce(
      const engine::WithdrawalRequest& request) override;
  uint64_t Subscribe(engine::EventSink sink) override;
  void Unsubscribe(uint64_t id) override;
  absl::StatusOr<std::vector<history::HealthChange>> ListHealth(uint32_t limit,
                                                                const std::string& pool,
                                                                int64_t before_unix_ns) override;
  absl::Status WatchDrain(const engine::DrainQuery& query, const engine::DrainSink& sink) override;
  absl::StatusOr<engine::ExplainReport> Explain(const engine::ExplainRequest& asked) override;
  absl::StatusOr<engine::CaptureReport> Capture(const engine::CaptureRequest& asked,
                                                const engine::CaptureSink& sink) override;

 private:
  std::shared_ptr<v1::Control::Stub> Stub();
  void Renew();
  absl::Status Explain(const grpc::Status& status);
  engine::Outcome ExplainOutcome(const grpc::Status& status);
  // A call that may change something.
  template <typename Request, typename Response>
  engine::Outcome Change(grpc::Status (v1::Control::Stub::*call)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                         const Request& request);
  template <typename Response, typename Request>
  absl::StatusOr<engine::WithdrawalReport> Withdrawing(
      grpc::Status (v1::Control::Stub::*call)(grpc::ClientContext*, const Request&, Response*),
      const Request& request);
  absl::Status CheckRequest(const engine::Request& request, size_t bytes) const;

  const std::string socket_;
  std::mutex mutex_;  // guards all below
  std::shared_ptr<v1::Control::Stub> stub_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::unique_ptr<WatchClient>> watches_;
};

std::shared_ptr<v1::Control::Stub> Client::Stub() {
  std::lock_guard lock(mutex_);
  return stub_;
}

// A channel that failed waits for seconds before it tries again; a new one finds a daemon that came
// back at once.
void Client::Renew() {
  std::lock_guard lock(mutex_);
  stub_ = MakeStub(socket_);
}

absl::Status Client::Explain(const grpc::Status& status) {
  if (status.ok() || IsFromDaemon(status)) return FromGrpc(status);
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      Renew();
      return DiagnoseSocket(socket_, status.error_message());
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(absl::StrCat(
          "the daemon at ", socket_, " does not know this call; it is of another version"));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::DeadlineExceededError(
          absl::StrCat("the daemon at ", socket_,
                       " did not answer in time; `evenkeel status` shows what is in force"));
    default:
      return FromGrpc(status);
  }
}

engine::Outcome Client::ExplainOutcome(const grpc::Status& status) {
  engine::Outcome outcome = OutcomeFromGrpc(status).outcome;
  if (outcome.kind == OutcomeKind::kFailed) outcome.status = Explain(status);
  return outcome;
}

// What could not even be sent, or could not be told apart once it was.
absl::Status Client::CheckRequest(const engine::Request& request, size_t bytes) const {
  if (request.change.config.has_value() + request.change.pool.has_value() +
          request.change.edit.has_value() >
      1) {
    return absl::InvalidArgumentError("a change has a config, a pool or an edit, one of them");
  }
  if (bytes > static_cast<size_t>(kMaxMessageBytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the change is ", bytes, " bytes, the daemon takes at most ", kMaxMessageBytes,
                     "; send the pools one by one"));
  }
  return absl::OkStatus();
}

template <typename Request, typename Response>
engine::Outcome Client::Change(grpc::Status (v1::Control::Stub::*call)(grpc::ClientContext*,
                                                                       const Request&, Response*),
                               const Request& request) {
  grpc::ClientContext context;
  Prepare(&context, kApplyDeadline);
  Response response;
  const std::shared_ptr<v1::Control::Stub> stub = Stub();
  if (grpc::Status status = (stub.get()->*call)(&context, request, &response); !status.ok()) {
    return ExplainOutcome(status);
  }
  absl::StatusOr<engine::Outcome> outcome = FromProto(response);
  return outcome.ok() ? *std::move(outcome) : Failed(outcome.status());
}

template <typename Response, typename Request>
absl::StatusOr<engine::WithdrawalReport> Client::Withdrawing(
    grpc::Status (v1::Control::Stub::*call)(grpc::ClientContext*, const Request&, Response*),
    const Request& request) {
  grpc::ClientContext context;
  Prepare(&context, kApplyDeadline);
  Response response;
  const std::shared_ptr<v1::Control::Stub> stub = Stub();
  if (grpc::Status status = (stub.get()->*call)(&context, request, &response); !status.ok()) {
    return Explain(status);
  }
  Problems problems;
  engine::WithdrawalReport report = ReportFromProto(response, &problems);
  if (!problems.empty()) {
    return absl::InternalError(absl::StrCat("the daemon at ", socket_, " sent a VIP with ",
                                            problems[0].field, " that ", problems[0].message,
                                            "; it is of another version"));
  }
  return report;
}

engine::Outcome Client::Plan(const engine::Request& request) {
  v1::PlanRequest message;
  WriteChange(request.change, message.mutable_change());
  message.set_etag(request.etag);
  WriteConsent(request.consent, message.mutable_consent());
  if (request.sample_for.count() != 0) {
    SetDuration(request.sample_for, message.mutable_sample_for());
  }
  if (auto status = CheckRequest(request, message.ByteSizeLong()); !status.ok()) {
    return Failed(std::move(status));
  }
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::PlanResponse response;
  if (grpc::Status status = Stub()->Plan(&context, message, &response); !status.ok()) {
    return ExplainOutcome(status);
  }
  absl::StatusOr<engine::Outcome> outcome = FromProto(response);
  return outcome.ok() ? *std::move(outcome) : Failed(outcome.status());
}

engine::Outcome Client::Apply(const engine::Request& request) {
  v1::ApplyRequest message;
  WriteChange(request.change, message.mutable_change());
  message.set_etag(request.etag);
  message.set_reason(request.reason);
  message.set_validate_only(request.validate_only);
  message.set_record_refusal(request.record_refusal);
  message.set_ticket(request.ticket);
  if (request.window.length.count() != 0) {
    message.mutable_confirm_within()->set_seconds(request.window.length.count());
  }
  message.set_auto_confirm(request.window.auto_confirm);
  WriteConsent(request.consent, message.mutable_consent());
  if (auto status = CheckRequest(request, message.ByteSizeLong()); !status.ok()) {
    return Failed(std::move(status));
  }
  return Change(&v1::Control::Stub::Apply, message);
}

engine::Outcome Client::Confirm(const engine::Settlement& settlement) {
  v1::ConfirmRequest message;
  message.set_revision(settlement.revision);
  message.set_reason(settlement.reason);
  return Change(&v1::Control::Stub::Confirm, message);
}

engine::Outcome Client::Cancel(const engine::Settlement& settlement) {
  v1::CancelRequest message;
  message.set_revision(settlement.revision);
  message.set_reason(settlement.reason);
  return Change(&v1::Control::Stub::Cancel, message);
}

engine::Outcome Client::RollBack(const engine::Rollback& rollback) {
  v1::RollbackRequest message;
  message.set_revision(rollback.target);
  message.set_last_good(rollback.last_good);
  message.set_from(rollback.from);
  message.set_reason(rollback.reason);
  message.set_ticket(rollback.ticket);
  message.set_purge_pinned(rollback.purge_pinned);
  return Change(&v1::Control::Stub::Rollback, message);
}

absl::StatusOr<engine::Applied> Client::Get() {
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::GetResponse response;
  const grpc::Status status = Stub()->Get(&context, v1::GetRequest(), &response);
  if (!status.ok()) return Explain(status);
  return FromProto(response.applied());
}

absl::StatusOr<history::Revision> Client::GetRevision(uint64_t number) {
  if (number == 0) return absl::InvalidArgumentError("revisions are numbered from 1");
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::GetRequest request;
  request.set_revision(number);
  v1::GetResponse response;
  const grpc::Status status = Stub()->Get(&context, request, &response);
  if (!status.ok()) return Explain(status);
  absl::StatusOr<engine::Applied> applied = FromProto(response.applied());
  if (!applied.ok()) return applied.status();
  history::Revision revision = FromProto(response.revision());
  revision.config_yaml = model::ToYaml(applied->config);
  revision.verdict_json = response.verdict_json();
  return revision;
}

absl::StatusOr<std::vector<history::Revision>> Client::ListRevisions(uint32_t limit,
                                                                     int64_t before_unix_ns) {
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::ListRequest request;
  request.set_limit(limit);
  if (before_unix_ns != 0) SetTime(before_unix_ns, request.mutable_before());
  v1::ListResponse response;
  const grpc::Status status = Stub()->List(&context, request, &response);
  if (!status.ok()) return Explain(status);
  std::vector<history::Revision> revisions;
  for (const v1::RevisionInfo& info : response.revisions()) {
    revisions.push_back(FromProto(info));
    revisions.back().verdict_json = info.verdict_json();
  }
  return revisions;
}

absl::StatusOr<engine::Status> Client::GetStatus(engine::StatusDepth depth) {
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::StatusRequest request;
  request.set_quick(depth == engine::StatusDepth::kQuick);
  v1::StatusResponse response;
  const grpc::Status status = Stub()->Status(&context, request, &response);
  if (!status.ok()) return Explain(status);
  return FromProto(response);
}

absl::StatusOr<std::vector<engine::Finding>> Client::Diagnose(
    const engine::DiagnoseOptions& options) {
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::DiagnoseRequest request;
  request.set_probe(options.probe);
  v1::DiagnoseResponse response;
  const grpc::Status status = Stub()->Diagnose(&context, request, &response);
  if (!status.ok()) return Explain(status);
  return FromProto(response);
}

absl::StatusOr<std::vector<detect::Alarm>> Client::Acknowledge(
    const engine::Acknowledgement& request) {
  grpc::ClientContext context;
  Prepare(&context, kApplyDeadline);
  v1::AcknowledgeRequest message;
  message.set_id(request.id);
  v1::AcknowledgeResponse response;
  const grpc::Status status = Stub()->Acknowledge(&context, message, &response);
  if (!status.ok()) return Explain(status);
  Problems problems;
  std::vector<detect::Alarm> alarms;
  for (const v1::Alarm& alarm : response.alarms()) alarms.push_back(Decode(alarm, &problems));
  if (!problems.empty()) {
    return absl::InternalError(absl::StrCat("the daemon at ", socket_, " sent an alarm with ",
                                            problems[0].field, " that ", problems[0].message,
                                            "; it is of another version"));
  }
  return alarms;
}

absl::StatusOr<engine::WithdrawalReport> Client::Withdraw(
    const engine::WithdrawalRequest& request) {
  return Withdrawing<v1::WithdrawResponse>(&v1::Control::Stub::Withdraw,
                                           WithdrawalToProto<v1::WithdrawRequest>(request));
}

absl::StatusOr<engine::WithdrawalReport> Client::Announce(
    const engine::WithdrawalRequest& request) {
  return Withdrawing<v1::AnnounceResponse>(&v1::Control::Stub::Announce,
                                           WithdrawalToProto<v1::AnnounceRequest>(request));
}

absl::StatusOr<std::vector<history::HealthChange>> Client::ListHealth(uint32_t limit,
                                                                      const std::string& pool,
                                                                      int64_t before_unix_ns) {
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::ListHealthRequest request;
  request.set_limit(limit);
  request.set_pool(pool);
  if (before_unix_ns != 0) SetTime(before_unix_ns, request.mutable_before());
  v1::ListHealthResponse response;
  const grpc::Status status = Stub()->ListHealth(&context, request, &response);
  if (!status.ok()) return Explain(status);
  std::vector<history::HealthChange> changes;
  for (const v1::HealthChange& change : response.changes()) changes.push_back(FromProto(change));
  return changes;
}

absl::Status Client::WatchDrain(const engine::DrainQuery& query, const engine::DrainSink& sink) {
  return Explain(ReadDrain(*Stub(), query, sink));
}

absl::StatusOr<engine::CaptureReport> Client::Capture(const engine::CaptureRequest& asked,
                                                      const engine::CaptureSink& sink) {
  engine::CaptureReport report;
  const grpc::Status status = ReadCapture(*Stub(), asked, sink, &report);
  if (!status.ok()) return Explain(status);
  return report;
}

absl::StatusOr<engine::ExplainReport> Client::Explain(const engine::ExplainRequest& asked) {
  grpc::ClientContext context;
  Prepare(&context, kReadDeadline);
  v1::ExplainResponse response;
  const grpc::Status status = Stub()->Explain(&context, ToProto(asked), &response);
  if (!status.ok()) return Explain(status);
  return FromProto(response);
}

uint64_t Client::Subscribe(engine::EventSink sink) {
  auto watch = std::make_unique<WatchClient>([socket = socket_] { return MakeStub(socket); },
                                             std::move(sink));
  // So that what is applied after this call is seen; where there is no daemon, the watch begins
  // when there is one.
  watch->WaitConnected(kSubscribeTimeout);
  std::lock_guard lock(mutex_);
  const uint64_t id = next_id_++;
  watches_.emplace(id, std::move(watch));
  return id;
}

void Client::Unsubscribe(uint64_t id) {
  std::unique_ptr<WatchClient> watch;
  {
    std::lock_guard lock(mutex_);
    const auto found = watches_.find(id);
    if (found == watches_.end()) return;
    watch = std::move(found->second);
    watches_.erase(found);
  }
  watch.reset();  // ends the thread; a sink that is running may call other functions meanwhile
}

}  // namespace

std::unique_ptr<engine::Engine> Connect(const std::string& socket) {
  return std::make_unique<Client>(socket);
}

}  // namespace evenkeel::rpc
