// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PROBE_BODY_SEARCH_H_
#define EVENKEEL_CONTROL_PROBE_BODY_SEARCH_H_

#include <algorithm>
#include <string>
#include <string_view>

namespace evenkeel::probe {

// Looks for a text in bytes that come in pieces. Keeps less of them than the text is long.
class BodySearch {
 public:
  void Start(std::string_view text) { text_ = text; }  // which must outlive the search
  void Add(std::string_view piece) {
    if (found()) return;
    std::string window = kept_;
    window += piece;
    if (window.find(text_) != std::string::npos) {
      text_ = {};
      kept_.clear();
      return;
    }
    kept_ = window.substr(window.size() - std::min(window.size(), text_.size() - 1));
  }
  bool found() const { return text_.empty(); }  // an empty text is found anywhere

 private:
  std::string_view text_;
  std::string kept_;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_BODY_SEARCH_H_
