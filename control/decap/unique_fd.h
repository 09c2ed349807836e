// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DECAP_UNIQUE_FD_H_
#define EVENKEEL_CONTROL_DECAP_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace evenkeel::decap {

// Owns a file descriptor; negative: none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace evenkeel::decap

#endif  // EVENKEEL_CONTROL_DECAP_UNIQUE_FD_H_
