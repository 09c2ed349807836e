// SPDX-License-Identifier: Apache-2.0
//
// The heaviest keys of a stream in bounded memory: the Space-Saving algorithm (Metwally, Agrawal,
// El Abbadi: Efficient computation of frequent and top-k elements in data streams, ICDT 2005).
#ifndef EVENKEEL_CONTROL_DETECT_SKETCH_H_
#define EVENKEEL_CONTROL_DETECT_SKETCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace evenkeel::detect {

// A key with more than total() / capacity is always among the entries.
template <typename Key>
class Sketch {
 public:
  struct Entry {
    Key key{};
    uint64_t count = 0;  // at least what the key had
    uint64_t error = 0;  // and at most so much more

    uint64_t sure() const { return count - error; }
  };

  explicit Sketch(size_t capacity) : capacity_(capacity) {}

  void Add(const Key& key, uint64_t weight) {
    if (weight == 0) return;
    total_ += weight;
    for (Entry& entry : entries_) {
      if (entry.key == key) {
        entry.count += weight;
        return;
      }
    }
    if (entries_.size() < capacity_) {
      entries_.push_back({key, weight, 0});
      return;
    }
    Entry& least =
        *std::min_element(entries_.begin(), entries_.end(),
                          [](const Entry& a, const Entry& b) { return a.count < b.count; });
    least = {key, least.count + weight, least.count};
  }

  void Clear() {
    entries_.clear();
    total_ = 0;
  }

  const std::vector<Entry>& entries() const { return entries_; }
  uint64_t total() const { return total_; }

 private:
  size_t capacity_;
  std::vector<Entry> entries_;
  uint64_t total_ = 0;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_SKETCH_H_
