// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_CONTROL_SERVICE_H_
#define EVENKEEL_CONTROL_RPC_CONTROL_SERVICE_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "control/engine/engine.h"
#include "control/rpc/event_queue.h"
#include "evenkeel/v1/control.grpc.pb.h"

namespace evenkeel::rpc {

// evenkeel.v1.Control over an Engine: converts, calls, converts back.
class ControlService final : public v1::Control::Service {
 public:
  static constexpr size_t kMaxWatchers = 64;
  static constexpr size_t kMaxDrains = 32;
  static constexpr size_t kMaxCaptures = 4;
  static constexpr char kEnding[] = "the daemon is shutting down";
  // A client of WatchDrain or Capture that reads nothing for so long gives way to another.
  static constexpr std::chrono::seconds kStuck{5};

  explicit ControlService(engine::Engine* engine) : engine_(engine) {}

  // Ends every watch, answers new calls that the daemon is shutting down, and waits up to `grace`
  // for those that run.
  void Drain(std::chrono::milliseconds grace);

  grpc::Status Plan(grpc::ServerContext* context, const v1::PlanRequest* request,
                    v1::PlanResponse* response) override;
  grpc::Status Apply(grpc::ServerContext* context, const v1::ApplyRequest* request,
                     v1::ApplyResponse* response) override;
  grpc::Status Confirm(grpc::ServerContext* context, const v1::ConfirmRequest* request,
                       v1::ConfirmResponse* response) override;
  grpc::Status Cancel(grpc::ServerContext* context, const v1::CancelRequest* request,
                      v1::ApplyResponse* response) override;
  grpc::Status Rollback(grpc::ServerContext* context, const v1::RollbackRequest* request,
                        v1::ApplyResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context, const v1::GetRequest* request,
                   v1::GetResponse* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListRequest* request,
                    v1::ListResponse* response) override;
  grpc::Status Status(grpc::ServerContext* context, const v1::StatusRequest* request,
                      v1::StatusResponse* response) override;
  grpc::Status Diagnose(grpc::ServerContext* context, const v1::DiagnoseRequest* request,
                        v1::DiagnoseResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override;
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::WithdrawRequest* request,
                        v1::WithdrawResponse* response) override;
  grpc::Status Announce(grpc::ServerContext* context, const v1::AnnounceRequest* request,
                        v1::AnnounceResponse* response) override;
  grpc::Status ListHealth(grpc::ServerContext* context, const v1::ListHealthRequest* request,
                          v1::ListHealthResponse* response) override;
  grpc::Status Acknowledge(grpc::ServerContext* context, const v1::AcknowledgeRequest* request,
                           v1::AcknowledgeResponse* response) override;
  grpc::Status WatchDrain(grpc::ServerContext* context, const v1::DrainRequest* request,
                          grpc::ServerWriter<v1::DrainProgress>* writer) override;
  grpc::Status Explain(grpc::ServerContext* context, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override;
  grpc::Status Capture(grpc::ServerContext* context, const v1::CaptureRequest* request,
                       grpc::ServerWriter<v1::CaptureResponse>* writer) override;

 private:
  // Of every call: counts it while it runs, and says whether it may.
  class Running {
   public:
    explicit Running(ControlService* service);
    ~Running();
    const grpc::Status& status() const { return status_; }

   private:
    ControlService* const service_;
    grpc::Status status_;
  };

  grpc::Status AddWatcher(EventQueue* queue);
  void RemoveWatcher(EventQueue* queue);
  grpc::Status SendEvents(grpc::ServerContext* context, EventQueue* queue,
                          grpc::ServerWriter<v1::WatchResponse>* writer);

  // One call of WatchDrain (drain_service.cc) or Capture (capture_service.cc).
  struct OpenStream {
    grpc::ServerContext* context = nullptr;
    std::optional<std::chrono::steady_clock::time_point> writing{};  // since when
  };
  grpc::Status AddDrain(OpenStream* stream);
  void RemoveDrain(OpenStream* stream);
  void SetWriting(OpenStream* stream, bool writing);
  grpc::Status AddCapture(OpenStream* stream);
  void RemoveCapture(OpenStream* stream);
  bool ending();

  engine::Engine* const engine_;
  std::mutex mutex_;  // guards all below
  std::set<OpenStream*> drains_, captures_;
  std::set<EventQueue*> watchers_;
  int running_ = 0;
  bool ending_ = false;
  std::condition_variable idle_;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_CONTROL_SERVICE_H_
