// SPDX-License-Identifier: Apache-2.0
//
// `capture`: packets before and after the balancer, with what it decided, as a pcapng file.
#include <fcntl.h>

#include <limits>

#include "absl/strings/str_format.h"
#include "control/cli/capture_file.h"
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/duration.h"
#include "control/cli/private_file.h"
#include "control/cli/text.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::cli {
namespace {

using End = engine::CaptureReport::End;

const char* Word(End end) {
  switch (end) {
    case End::kTime:
      return "time";
    case End::kCount:
      return "count";
    case End::kListener:
      break;
  }
  return "stopped";
}

struct Missed {
  uint64_t over_rate = 0, no_room = 0;
  uint64_t all() const { return over_rate + no_room; }
};

Missed SumUp(const engine::CaptureReport& report) {
  Missed missed;
  for (const dataplane::CaptureCount& count : report.counts) {
    missed.over_rate += count.over_rate;
    missed.no_room += count.no_room;
  }
  return missed;
}

class Capture final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("--vip", request_.vips, "Packets for this VIP; several may be given")
        ->type_name("NAME");
    app.add_option("--pool", request_.pool, "Packets for the VIPs of this pool")->type_name("NAME");
    app.add_option("--backend", request_.backend, "Packets that get to this backend")
        ->type_name("NAME");
    app.add_flag("--drops", request_.only_drops, "Only packets that are dropped");
    app.add_flag("--all", request_.all, "Whatever comes in, to no VIP either");
    app.add_option("-w,--write", path_, "The pcapng file to write, - is standard output")
        ->type_name(kFileType)
        ->required();
    app.add_option("-c,--count", request_.max_packets, "End after so many packets")
        ->type_name("COUNT")
        ->check(CLI::Range(uint64_t{1}, std::numeric_limits<uint64_t>::max()).description(""));
    app.add_option("--for", duration_, "End after this time, default 60s, at most 10m")
        ->type_name("DURATION");
    app.add_option("--snaplen", request_.snaplen, "Bytes of each frame, default 256, at most 9216")
        ->type_name("BYTES")
        ->check(CLI::Range(1u, uint32_t{EK_CAPTURE_MAX_SNAP}).description(""));
    app.add_option("--rate", request_.rate,
                   "Packets per second, default 10000, at most 100000; more are missed")
        ->type_name("COUNT")
        ->check(CLI::Range(1u, dataplane::kMaxCaptureRate).description(""));
  }

  ExitCode Run(Session& session) override {
    const bool named = !request_.vips.empty() || !request_.pool.empty() ||
                       !request_.backend.empty() || request_.only_drops;
    if (named == request_.all) {
      return session.FailUsage(
          named ? "--all has every packet: leave --vip, --pool, --backend and --drops away"
                : "say what to capture: --vip, --pool, --backend, --drops, or --all");
    }
    if (to_stdout() && session.env.out_is_terminal) {
      return session.FailUsage(
          "-w - would write a binary file to the terminal; give a file, or a pipe, as in: "
          "evenkeel capture ... -w - | tshark -r -");
    }
    if (!duration_.empty()) {
      const auto duration =
          ReadDuration("--for", duration_, std::chrono::seconds(1), engine::kMaxCapture);
      if (!duration.ok()) return session.FailUsage(std::string(duration.status().message()));
      request_.duration = *duration;
    }
    return Follow(session);
  }

 private:
  bool to_stdout() const { return path_ == "-"; }

  ExitCode Follow(Session& session) {
    // From here on Ctrl-C ends the capture, not the command.
    if (!session.env.sleep(std::chrono::milliseconds(0))) return ExitCode::kDone;
    CaptureFile file(request_.snaplen);
    absl::Status written;
    bool begun = false;
    const auto report = session.daemon().Capture(request_, [&](const engine::CaptureNews* news) {
      if (news != nullptr) {
        if (!begun) written = Begin(session);
        begun = true;
        file.Add(*news);
        if (written.ok()) written = Write(session, file.Take());
      }
      return written.ok() && session.env.sleep(std::chrono::milliseconds(0));
    });
    if (!report.ok()) {
      if (begun && written.ok()) Write(session, file.Take()).IgnoreError();
      return session.Fail(report.status());
    }
    if (!begun) written = Begin(session);
    file.End(*report);
    if (written.ok()) written = Write(session, file.Take());
    if (written.ok() && fd_.valid()) written = ClosePrivately(path_, std::move(fd_));
    if (!written.ok()) return session.Fail(written);
    Summarise(session, *report, file);
    return report->problem.empty() ? ExitCode::kDone : ExitCode::kError;
  }

  absl::Status Begin(Session& session) {
    if (!session.json()) {
      session.Err().Line(
          Cat("capturing for at most ", request_.duration.count(), " s; Ctrl-C ends it"));
    }
    if (to_stdout()) return absl::OkStatus();
    auto fd = CreatePrivately(path_);
    if (!fd.ok()) return fd.status();
    fd_ = *std::move(fd);
    return absl::OkStatus();
  }

  // What is written is out at once: somebody may read along.
  absl::Status Write(Session& session, const std::string& bytes) {
    if (!to_stdout()) return WriteTo(path_, fd_, bytes);
    session.env.out->write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    session.env.out->flush();
    if (session.env.out->good()) return absl::OkStatus();
    return absl::DataLossError("standard output cannot be written to; did its reader end?");
  }

  void Summarise(Session& session, const engine::CaptureReport& report, const CaptureFile& file) {
    const Missed missed = SumUp(report);
    const double seconds = static_cast<double>(report.ended_unix_ns - report.began_unix_ns) / 1e9;
    if (session.json()) {
      nlohmann::ordered_json document = {{"schema", "evenkeel.capture/v1"},
                                         {"file", path_},
                                         {"began", Rfc3339(report.began_unix_ns)},
                                         {"ended", Rfc3339(report.ended_unix_ns)},
                                         {"ended_by", Word(report.end)},
                                         {"packets", file.packets()},
                                         {"frames", file.frames()},
                                         {"missed_over_rate", missed.over_rate},
                                         {"missed_no_room", missed.no_room},
                                         {"problem", report.problem},
                                         {"interfaces", nlohmann::ordered_json::array()}};
      for (const dataplane::CaptureCount& count : report.counts) {
        document["interfaces"].push_back({{"name", count.interface},
                                          {"matched", count.matched},
                                          {"missed_over_rate", count.over_rate},
                                          {"missed_no_room", count.no_room}});
      }
      // Standard output may be the file.
      std::ostream& out = to_stdout() ? *session.env.err : *session.env.out;
      out << document.dump(2) << "\n";
      return;
    }
    Printer err = session.Err();
    err.Line(Cat(file.packets(), " packets in ", absl::StrFormat("%.1f", seconds), " s, ",
                 file.frames(), " frames; ", missed.all(), " missed"));
    const auto warn = [&](const std::string& text) {
      err.Hanging(0, {"Warning:", Style::kWarn}, text);
    };
    if (missed.over_rate > 0) {
      warn(Cat(missed.over_rate, " packets were above ", request_.rate,
               " a second and are not in the file; a narrower choice or a higher --rate has more"));
    }
    if (missed.no_room > 0) {
      warn(Cat(missed.no_room,
               " packets came faster than they were read and are not in the file; a smaller "
               "--snaplen or a faster reader has more"));
    }
    if (!report.problem.empty()) {
      warn(Cat("the capture build is still in the balancer's place, and forwards the same: ",
               report.problem));
    }
  }

  engine::CaptureRequest request_;
  std::string path_, duration_;
  dataplane::UniqueFd fd_;
};

}  // namespace

std::unique_ptr<Command> MakeCapture() { return std::make_unique<Capture>(); }

}  // namespace evenkeel::cli
