// SPDX-License-Identifier: Apache-2.0
//
// Which VIPs operators keep from the routers. Pure.
#ifndef EVENKEEL_CONTROL_ENGINE_WITHDRAWALS_H_
#define EVENKEEL_CONTROL_ENGINE_WITHDRAWALS_H_

#include <map>
#include <string>

#include "control/history/history.h"

namespace evenkeel::engine {

class Withdrawals {
 public:
  // In the order in which they were made. One of all VIPs ends those before it.
  void Add(const history::Withdrawal& withdrawal);
  // Why the VIP is withdrawn; null: it is not.
  const history::Withdrawal* Find(const std::string& vip) const;
  // Whether somebody spoke of this VIP by its name since the last word on all.
  bool Names(const std::string& vip) const { return last_.contains(vip); }

 private:
  std::map<std::string, history::Withdrawal> last_;  // by VIP; "": all others
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_WITHDRAWALS_H_
