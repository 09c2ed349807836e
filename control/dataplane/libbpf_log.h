// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_LIBBPF_LOG_H_
#define EVENKEEL_CONTROL_DATAPLANE_LIBBPF_LOG_H_

#include <string>

namespace evenkeel::dataplane {

// Collects what libbpf and libxdp warn of on this thread during the object's life, instead of its
// printing to stderr: the verifier's complaint or the driver's reason (netlink extack) belongs in
// the error. Not nested.
class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // The last lines, joined with " | "; at most ~1 KiB.
  std::string Tail() const;
  // Text behind "Kernel error message: ", where the kernel gave one.
  std::string Extack() const;

 private:
  std::string text_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_LIBBPF_LOG_H_
