// SPDX-License-Identifier: Apache-2.0
//
// The memory of a BPF_F_MMAPABLE map, seen from here: what is read and written is what the programs
// use.
#ifndef EVENKEEL_CONTROL_DATAPLANE_MAPPED_MEMORY_H_
#define EVENKEEL_CONTROL_DATAPLANE_MAPPED_MEMORY_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/dataplane/errors.h"

namespace evenkeel::dataplane {

template <typename T>
class MappedMemory {
 public:
  // `count` elements of the map behind `fd`, which may be closed afterwards. `what` for errors.
  static absl::StatusOr<MappedMemory> Map(int fd, size_t count, absl::string_view what) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = (count * sizeof(T) + page - 1) / page * page;
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return KernelError(errno, what);
    return MappedMemory(static_cast<T*>(memory), count, bytes);
  }

  MappedMemory() = default;
  MappedMemory(MappedMemory&& other) noexcept { swap(other); }
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~MappedMemory() {
    if (data_ != nullptr) munmap(static_cast<void*>(data_), bytes_);
  }

  std::span<T> get() const { return {data_, count_}; }

 private:
  MappedMemory(T* data, size_t count, size_t bytes) : data_(data), count_(count), bytes_(bytes) {}
  void swap(MappedMemory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    std::swap(bytes_, other.bytes_);
  }

  T* data_ = nullptr;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_MAPPED_MEMORY_H_
