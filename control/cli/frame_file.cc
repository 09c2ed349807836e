// SPDX-License-Identifier: Apache-2.0
#include "control/cli/frame_file.h"

#include <pcap/pcap.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "control/cli/cat.h"

namespace evenkeel::cli {
namespace {

constexpr size_t kEthernet = 14;

// Bytes before the network header, and where its EtherType stands; Raw: the packet's version tells.
struct Link {
  int type;
  size_t header;
  size_t ether_type;
};
constexpr size_t kRaw = SIZE_MAX;
constexpr Link kLinks[] = {{DLT_RAW, 0, kRaw},
                           {DLT_IPV4, 0, kRaw},
                           {DLT_IPV6, 0, kRaw},
                           {DLT_LINUX_SLL, 16, 14},
                           {DLT_LINUX_SLL2, 20, 0}};

const Link* FindLink(int type) {
  for (const Link& link : kLinks) {
    if (link.type == type) return &link;
  }
  return nullptr;
}

// As it would be on Ethernet.
void MakeEthernet(const Link& link, const uint8_t* data, size_t captured, Frame* frame) {
  uint8_t type[2] = {0, 0};
  if (link.ether_type == kRaw) {
    const int version = captured > 0 ? data[0] >> 4 : 0;
    const uint16_t ether = version == 4 ? 0x0800 : version == 6 ? 0x86dd : 0;
    type[0] = static_cast<uint8_t>(ether >> 8);
    type[1] = static_cast<uint8_t>(ether);
  } else if (captured >= link.header) {
    std::memcpy(type, data + link.ether_type, sizeof(type));
  }
  frame->head.assign(kEthernet - 2, 0);
  frame->head.insert(frame->head.end(), type, type + 2);
  if (captured > link.header)
    frame->head.insert(frame->head.end(), data + link.header, data + captured);
}

}  // namespace

void FrameFile::Close::operator()(void* capture) const {
  pcap_close(static_cast<pcap_t*>(capture));
}

absl::StatusOr<FrameFile> FrameFile::Open(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  FILE* file = path == "-" ? fdopen(dup(STDIN_FILENO), "rb") : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    return absl::InvalidArgumentError(Cat("cannot read ", name, ": ", std::strerror(errno)));
  }
  char problem[PCAP_ERRBUF_SIZE] = {};
  pcap_t* capture = pcap_fopen_offline(file, problem);  // takes the file
  if (capture == nullptr) {
    std::fclose(file);
    return absl::InvalidArgumentError(
        Cat(name, " has no packets: ", problem, "; write it with tcpdump -w, or as pcapng"));
  }
  FrameFile opened(capture, pcap_datalink(capture), name);
  if (opened.link_type_ != DLT_EN10MB && FindLink(opened.link_type_) == nullptr) {
    const char* link = pcap_datalink_val_to_name(opened.link_type_);
    return absl::InvalidArgumentError(
        Cat(name, " was taken on a link of type ", link == nullptr ? "unknown" : link,
            "; Ethernet, raw IP and Linux's cooked captures can be read"));
  }
  return opened;
}

absl::StatusOr<bool> FrameFile::Next(Frame* frame) {
  auto* capture = static_cast<pcap_t*>(capture_.get());
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  const int result = pcap_next_ex(capture, &header, &data);
  if (result == PCAP_ERROR_BREAK) return false;
  if (result != 1) {
    return absl::DataLossError(
        Cat(name_, " is broken after packet ", packets_, ": ", pcap_geterr(capture)));
  }
  ++packets_;
  if (const Link* link = FindLink(link_type_)) {
    MakeEthernet(*link, data, header->caplen, frame);
    frame->length = header->len -
                    static_cast<uint32_t>(std::min<size_t>(header->len, link->header)) +
                    static_cast<uint32_t>(kEthernet);
  } else {
    frame->head.assign(data, data + header->caplen);
    frame->length = header->len;
  }
  return true;
}

}  // namespace evenkeel::cli
