// SPDX-License-Identifier: Apache-2.0
//
// `explain`: one packet by its decisions, or the packets of a file by their shares.
#include <netinet/in.h>

#include <limits>
#include <map>
#include <tuple>

#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/explain_report.h"
#include "control/cli/explain_summary.h"
#include "control/cli/frame_file.h"
#include "control/cli/packet_spec.h"
#include "control/traffic/frame.h"

namespace evenkeel::cli {
namespace {

constexpr uint64_t kDefaultLimit = 1'000'000;
constexpr uint64_t kProgressEvery = 50'000;  // packets

// Packets that are alike are asked for once.
class Batch {
 public:
  bool full() const { return request_.packets.size() >= publish::kMaxExplained; }
  bool empty() const { return request_.packets.empty(); }
  const engine::ExplainRequest& request() const { return request_; }
  uint64_t count(size_t index) const { return counts_[index]; }

  void Add(const publish::Flow& flow) {
    const auto [it, fresh] = places_.try_emplace(
        Key{flow.source, flow.destination, flow.source_port, flow.destination_port,
            flow.ip_protocol, flow.opening, flow.payload},
        request_.packets.size());
    if (!fresh) {
      ++counts_[it->second];
      return;
    }
    counts_.push_back(1);
    const bool tcp = flow.ip_protocol == IPPROTO_TCP;
    request_.packets.push_back({.source = flow.source,
                                .source_port = flow.source_port,
                                .address = flow.destination,
                                .port = flow.destination_port,
                                .protocol = tcp ? model::Protocol::kTcp : model::Protocol::kUdp,
                                .opening = flow.opening,
                                .payload = flow.payload});
  }

 private:
  using Key = std::tuple<model::IpAddress, model::IpAddress, uint16_t, uint16_t, uint8_t, bool,
                         std::vector<uint8_t>>;

  engine::ExplainRequest request_;
  std::vector<uint64_t> counts_;
  std::map<Key, size_t> places_;
};

class Explain final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("src", source_, "The client, ADDRESS:PORT")->type_name("SRC");
    app.add_option("vip", vip_, "ADDRESS:PORT/tcp|udp|quic, or the name of a VIP")
        ->type_name("VIP");
    app.add_flag("--syn", syn_, "The packet opens a connection (default)");
    app.add_flag("--ack", ack_, "It belongs to one that is open");
    app.add_option("--quic-id", quic_id_, "It has this QUIC connection id")->type_name("HEX");
    app.add_option("--pcap", file_, "Instead: the packets of a file, - is standard input")
        ->type_name(kFileType);
    app.add_option("--limit", limit_, "Of --pcap: at most this many packets, default 1000000")
        ->type_name("COUNT")
        ->check(CLI::Range(uint64_t{1}, std::numeric_limits<uint64_t>::max()).description(""));
  }

  ExitCode Run(Session& session) override {
    if (!file_.empty()) {
      if (!source_.empty() || syn_ || ack_ || !quic_id_.empty()) {
        return session.FailUsage(
            "--pcap takes its packets from the file: give it alone, or with "
            "--limit");
      }
      return ExplainFile(session);
    }
    if (source_.empty() || vip_.empty()) {
      return session.FailUsage(
          "name the client and the VIP, as in: evenkeel explain "
          "198.51.100.7:4711 192.0.2.10:443/tcp; or give --pcap FILE");
    }
    if (limit_ != 0) return session.FailUsage("--limit belongs to --pcap");
    if (syn_ && (ack_ || !quic_id_.empty())) {
      return session.FailUsage(ack_ ? "--syn or --ack, not both"
                                    : "a packet with a connection id of a server opens nothing: "
                                      "leave --syn away");
    }
    auto packet = ParsePacket(source_, vip_);
    if (!packet.ok()) return session.FailUsage(std::string(packet.status().message()));
    packet->opening = !ack_;
    if (!quic_id_.empty()) {
      auto payload = ParseConnectionId(quic_id_);
      if (!payload.ok()) return session.FailUsage(std::string(payload.status().message()));
      packet->payload = *std::move(payload);
    }
    return ExplainOne(session, *packet);
  }

 private:
  ExitCode ExplainOne(Session& session, const engine::ExplainPacket& packet) const {
    const auto report = session.daemon().Explain({.packets = {packet}});
    if (!report.ok()) return session.Fail(report.status());
    if (report->result.packets.size() != 1) {
      return session.Fail(absl::InternalError("the daemon's answer has no packet"));
    }
    const publish::Explanation& explained = report->result.packets[0];
    if (session.json()) {
      nlohmann::ordered_json document = {{"schema", "evenkeel.explain/v1"}};
      AddGeneration(*report, &document);
      document["packet"] = ToJson(explained);
      session.PrintJson(document);
    } else {
      Printer out = session.Out();
      PrintExplanation(out, *report, explained, session.env.now_unix_ns());
    }
    return explained.disagreement.empty() ? ExitCode::kDone : ExitCode::kError;
  }

  absl::Status Ask(Session& session, const Batch& batch) {
    if (batch.empty()) return absl::OkStatus();
    auto report = session.daemon().Explain(batch.request());
    if (!report.ok()) return report.status();
    if (report->result.packets.size() != batch.request().packets.size()) {
      return absl::InternalError("the daemon's answer has not as many packets as were asked for");
    }
    for (size_t i = 0; i < report->result.packets.size(); ++i) {
      summary_.Add(report->result.packets[i], batch.count(i));
    }
    report->result.packets.clear();
    if (last_ && (last_->result.revision != report->result.revision ||
                  last_->result.published_unix_ns != report->result.published_unix_ns)) {
      ++changes_;
    }
    last_ = *std::move(report);
    return absl::OkStatus();
  }

  void ShowProgress(Session& session) const {
    if (!session.env.err_is_terminal || packets_ % kProgressEvery != 0) return;
    session.Err().Raw(Cat("\r", packets_, " packets"));
  }

  // All packets of the file, as far as it can be read and --limit allows.
  absl::Status ReadAll(Session& session, FrameFile& file) {
    const uint64_t limit = limit_ == 0 ? kDefaultLimit : limit_;
    Batch batch;
    Frame frame;
    while (packets_ < limit) {
      const absl::StatusOr<bool> more = file.Next(&frame);
      if (!more.ok()) {
        broken_ = std::string(more.status().message());
        break;
      }
      if (!*more) break;
      ++packets_;
      ShowProgress(session);
      const auto flow = traffic::ParseFrame(frame.head, frame.length);
      // A port of 0 is no flow's.
      if (!flow || flow->source_port == 0 || flow->destination_port == 0) {
        summary_.AddNotUnderstood();
        continue;
      }
      batch.Add(*flow);
      if (!batch.full()) continue;
      if (auto status = Ask(session, batch); !status.ok()) return status;
      batch = {};
      if (!session.env.sleep(std::chrono::milliseconds(0))) {
        broken_ = Cat("stopped after ", packets_, " packets");
        break;
      }
    }
    cut_short_ = packets_ == limit;
    return Ask(session, batch);
  }

  ExitCode ExplainFile(Session& session) {
    auto file = FrameFile::Open(file_);
    if (!file.ok()) return session.Fail(file.status());
    const absl::Status read = ReadAll(session, *file);
    if (session.env.err_is_terminal && packets_ >= kProgressEvery) session.Err().Raw("\r\033[K");
    if (!read.ok()) return session.Fail(read);
    if (packets_ == 0) {
      return session.Fail(
          absl::InvalidArgumentError(broken_.empty() ? Cat(file_, " has no packets") : broken_));
    }
    Print(session);
    return summary_.agrees() ? ExitCode::kDone : ExitCode::kError;
  }

  void Print(Session& session) const {
    if (session.json()) {
      nlohmann::ordered_json document = {{"schema", "evenkeel.explain_summary/v1"}};
      if (last_) AddGeneration(*last_, &document);
      document["changes_meanwhile"] = changes_;
      document["problem"] = broken_;
      document["at_limit"] = cut_short_;
      summary_.AddTo(&document);
      session.PrintJson(document);
      return;
    }
    Printer out = session.Out();
    if (last_) {
      out.Table(0,
                {{{"generation", Style::kDim}, {GenerationText(*last_, session.env.now_unix_ns())}},
                 {{"revision", Style::kDim}, {RevisionText(*last_)}}});
    }
    summary_.Print(out);
    Printer err = session.Err();
    const auto warn = [&](const std::string& text) {
      err.Hanging(0, {"Warning:", Style::kWarn}, text);
    };
    if (changes_ > 0)
      warn("another state was published meanwhile; shares are those of the last one");
    if (!broken_.empty()) warn(broken_);
    if (cut_short_) warn(Cat("ended after ", packets_, " packets; --limit takes more"));
  }

  std::string source_, vip_, quic_id_, file_;
  bool syn_ = false, ack_ = false;
  uint64_t limit_ = 0;

  ExplainSummary summary_;
  std::optional<engine::ExplainReport> last_;  // without its packets
  uint64_t packets_ = 0, changes_ = 0;
  std::string broken_;
  bool cut_short_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeExplain() { return std::make_unique<Explain>(); }

}  // namespace evenkeel::cli
