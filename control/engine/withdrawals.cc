// SPDX-License-Identifier: Apache-2.0
#include "control/engine/withdrawals.h"

namespace evenkeel::engine {

void Withdrawals::Add(const history::Withdrawal& withdrawal) {
  if (withdrawal.vip.empty()) last_.clear();
  last_[withdrawal.vip] = withdrawal;
}

const history::Withdrawal* Withdrawals::Find(const std::string& vip) const {
  auto found = last_.find(vip);
  if (found == last_.end()) found = last_.find("");
  return found != last_.end() && found->second.withdrawn ? &found->second : nullptr;
}

}  // namespace evenkeel::engine
