// SPDX-License-Identifier: Apache-2.0
#include "control/decap/decap.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bpf/abi/decap.h"
#include "control/decap/interface.h"
#include "control/decap/program.h"

namespace evenkeel::decap {
namespace {

constexpr std::array<const char*, EK_DECAP_COUNT> kVerdictNames = {
#define EK_DECAP_NAME(sym, name, text) name,
    EK_DECAP_LIST(EK_DECAP_NAME)
#undef EK_DECAP_NAME
};

absl::Status RemovePin(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, absl::StrCat("removing the pin ", path));
  }
  return absl::OkStatus();
}

bool HasHostBits(const model::IpAddress& address, uint32_t length) {
  const size_t size = address.is_ipv4() ? 4 : 16;
  for (size_t bit = length; bit < size * 8; ++bit) {
    if (address.bytes()[bit / 8] & (0x80 >> bit % 8)) return true;
  }
  return false;
}

// Where the link of the target is pinned, and the link, if one is there and alive.
struct Place {
  uint32_t ifindex = 0;
  std::string path;
  std::optional<Link> link;
};

absl::StatusOr<Place> FindPlace(const Target& target) {
  Place place;
  absl::StatusOr<uint32_t> ifindex = FindInterface(target.interface);
  if (!ifindex.ok()) return ifindex.status();
  place.ifindex = *ifindex;
  absl::StatusOr<std::string> path = LinkPinPath(target.pin_dir, *ifindex);
  if (!path.ok()) return path.status();
  place.path = *path;
  absl::StatusOr<Link> link = OpenLink(place.path);
  if (absl::IsNotFound(link.status())) return place;
  if (!link.ok()) return link.status();
  // The interface that it was made for is gone; another one has its index now.
  if (link->ifindex != place.ifindex) {
    if (absl::Status status = RemovePin(place.path); !status.ok()) return status;
    return place;
  }
  place.link = *std::move(link);
  return place;
}

absl::StatusOr<Place> FindLink(const Target& target) {
  absl::StatusOr<Place> place = FindPlace(target);
  if (place.ok() && !place->link) {
    return absl::NotFoundError(absl::StrCat("nothing is decapsulated on ", target.interface,
                                            ": no link is pinned at ", place->path));
  }
  return place;
}

absl::StatusOr<Attached> Replace(const Options& options, const Place& place, Attached result) {
  absl::StatusOr<Mode> mode = AttachedMode(place.ifindex);
  if (!mode.ok()) return mode.status();
  if (options.mode != Mode::kAuto && options.mode != *mode) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.target.interface, " is attached in ", ModeName(*mode),
                     " mode, which cannot change in place; run with --detach first"));
  }
  absl::StatusOr<UniqueFd> stats = OpenMap(place.link->program_id, "ek_decap_stats");
  if (!stats.ok()) return stats.status();
  absl::StatusOr<Program> program =
      Program::Load(result.addresses, options.sources, options.gue_port, stats->get());
  if (!program.ok()) return program.status();
  if (absl::Status status = program->ReplaceIn(*place.link); !status.ok()) return status;
  result.replaced = true;
  result.mode = *mode;
  return result;
}

absl::StatusOr<Attached> AttachNew(const Options& options, const Place& place, Attached result) {
  absl::StatusOr<Program> program =
      Program::Load(result.addresses, options.sources, options.gue_port, -1);
  if (!program.ok()) return program.status();
  result.mode = options.mode == Mode::kGeneric ? Mode::kGeneric : Mode::kNative;
  absl::StatusOr<UniqueFd> link = program->AttachTo(options.target, place.ifindex, result.mode);
  if (absl::IsUnimplemented(link.status()) && options.mode == Mode::kAuto) {
    result.fallback_reason = std::string(link.status().message());
    result.mode = Mode::kGeneric;
    link = program->AttachTo(options.target, place.ifindex, result.mode);
  }
  if (!link.ok()) return link.status();
  if (absl::Status status = PinLink(*link, place.path); !status.ok()) return status;
  return result;
}

}  // namespace

absl::StatusOr<Prefix> Prefix::Parse(const std::string& text) {
  const size_t slash = text.find('/');
  absl::StatusOr<model::IpAddress> address =
      model::IpAddress::Parse(std::string_view(text).substr(0, slash));
  if (!address.ok()) return address.status();
  Prefix prefix{*address, address->is_ipv4() ? 32u : 128u};
  const uint32_t longest = prefix.length;
  if (slash != std::string::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &prefix.length) || prefix.length > longest)) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix \"", text, "\": the length must be 0 to ", longest));
  }
  if (HasHostBits(prefix.address, prefix.length)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "prefix \"", text, "\" has bits set beyond its length; write the network's address"));
  }
  return prefix;
}

std::string Prefix::ToString() const { return absl::StrCat(address.ToString(), "/", length); }

const char* ModeName(Mode mode) {
  switch (mode) {
    case Mode::kNative:
      return "native";
    case Mode::kGeneric:
      return "generic";
    case Mode::kAuto:
      break;
  }
  return "auto";
}

absl::StatusOr<Attached> Attach(const Options& options) {
  if (absl::Status status = PreparePinDir(options.target.pin_dir); !status.ok()) return status;
  absl::StatusOr<Place> place = FindPlace(options.target);
  if (!place.ok()) return place.status();
  Attached result;
  result.addresses = options.addresses;
  if (result.addresses.empty()) {
    absl::StatusOr<std::vector<model::IpAddress>> own = GlobalAddresses(options.target.interface);
    if (!own.ok()) return own.status();
    result.addresses = *std::move(own);
  }
  if (result.addresses.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.target.interface,
                     " has no global address to decapsulate for; give one with --address"));
  }
  if (place->link) return Replace(options, *place, std::move(result));
  absl::StatusOr<Attached> attached = AttachNew(options, *place, std::move(result));
  if (!attached.ok()) rmdir(options.target.pin_dir.c_str());  // stays if it holds other pins
  return attached;
}

absl::Status Detach(const Target& target) {
  absl::StatusOr<Place> place = FindLink(target);
  if (!place.ok()) return place.status();
  if (absl::Status status = DetachLink(*place->link); !status.ok()) return status;
  if (absl::Status status = RemovePin(place->path); !status.ok()) return status;
  rmdir(target.pin_dir.c_str());  // stays if another interface's pin is in it
  return absl::OkStatus();
}

absl::StatusOr<Report> ReadReport(const Target& target) {
  absl::StatusOr<Place> place = FindLink(target);
  if (!place.ok()) return place.status();
  const uint32_t program = place->link->program_id;
  absl::StatusOr<Mode> mode = AttachedMode(place->ifindex);
  if (!mode.ok()) return mode.status();
  absl::StatusOr<std::vector<model::IpAddress>> addresses = ReadAddresses(program);
  if (!addresses.ok()) return addresses.status();
  absl::StatusOr<std::vector<Prefix>> sources = ReadSources(program);
  if (!sources.ok()) return sources.status();
  absl::StatusOr<uint16_t> gue_port = ReadGuePort(program);
  if (!gue_port.ok()) return gue_port.status();
  absl::StatusOr<std::vector<uint64_t>> counts = ReadCounts(program);
  if (!counts.ok()) return counts.status();
  Report report{*mode, *std::move(addresses), *std::move(sources), *gue_port, {}};
  for (size_t i = 0; i < kVerdictNames.size(); ++i) {
    report.verdicts.emplace_back(kVerdictNames[i], (*counts)[i]);
  }
  return report;
}

}  // namespace evenkeel::decap
