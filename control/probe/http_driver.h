// SPDX-License-Identifier: Apache-2.0
//
// HTTP, HTTPS and gRPC's health protocol by libcurl's multi interface; the one file with its .cc
// that knows libcurl.
#ifndef EVENKEEL_CONTROL_PROBE_HTTP_DRIVER_H_
#define EVENKEEL_CONTROL_PROBE_HTTP_DRIVER_H_

#include <curl/curl.h>

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "control/probe/driver.h"
#include "control/probe/loop.h"

namespace evenkeel::probe {

class HttpDriver final : public Driver, private Loop::Handler {
 public:
  struct Limits {
    size_t body_bytes = 0;
    size_t header_bytes = 0;
  };

  static absl::StatusOr<std::unique_ptr<HttpDriver>> Create(Loop& loop, Limits limits,
                                                            SocketCount& open_sockets,
                                                            OnEnd on_end);
  ~HttpDriver() override;

  void Start(TargetId id, const Target& target) override;
  std::string Cancel(TargetId id) override;
  std::optional<Nanos> NextWork() const override { return next_work_; }
  void Work(Nanos now) override;

 private:
  // CURL and CURLM are both void.
  struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  using Easy = std::unique_ptr<CURL, EasyDeleter>;
  using List = std::unique_ptr<curl_slist, ListDeleter>;
  struct Transfer;

  HttpDriver(Loop& loop, Limits limits, SocketCount& open_sockets, OnEnd on_end);

  void OnEvents(int fd, uint32_t events) override;
  static bool Append(List& list, const std::string& line);
  bool Configure(Transfer& transfer);
  bool ConfigureRequest(Transfer& transfer, const std::string& name);
  static bool ConfigureTls(const Transfer& transfer);
  void TakeEnded();
  Outcome Judge(const Transfer& transfer, CURLcode code) const;
  static Outcome JudgeAnswer(const Transfer& transfer);
  // Ended by libcurl; its connection is closed, and others may have its descriptor's number.
  void Remove(TargetId id);
  // Not ended yet.
  void Abort(TargetId id);

  // Callbacks of libcurl.
  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* driver, void* unused);
  static int OnTimer(CURLM* multi, long timeout_ms, void* driver);
  static curl_socket_t OnOpen(void* transfer, curlsocktype purpose, curl_sockaddr* address);
  static size_t OnHeader(char* data, size_t size, size_t count, void* transfer);
  static size_t OnBody(char* data, size_t size, size_t count, void* transfer);

  Loop& loop_;
  const Limits limits_;
  SocketCount& open_sockets_;
  const OnEnd on_end_;
  List headers_;
  std::optional<Nanos> next_work_;
  std::vector<Easy> idle_;
  absl::flat_hash_map<TargetId, std::unique_ptr<Transfer>> transfers_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;  // last: its end closes connections
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_HTTP_DRIVER_H_
