// SPDX-License-Identifier: Apache-2.0
#include "control/guard/source_rules.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace evenkeel::guard {
namespace {

using model::Family;
using model::IpAddress;
using model::Prefix;

// An address as a number. IPv4 addresses are the high 32 bits, so that a prefix length means the
// same in both families.
__extension__ typedef unsigned __int128 Number;
constexpr Number kMax = ~Number{0};

Number ToNumber(const IpAddress& address) {
  Number number = 0;
  for (const uint8_t byte : address.bytes()) number = number << 8 | byte;
  return number;
}

IpAddress ToAddress(Number number, Family family) {
  std::array<uint8_t, 16> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(number >> (8 * (15 - i)));
  }
  if (family == Family::kIpv6) return IpAddress::FromIpv6(bytes);
  return IpAddress::FromIpv4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

Number HostBits(uint8_t length) { return length >= 128 ? 0 : kMax >> length; }

double Size(Number first, Number last) {
  return std::ldexp(static_cast<double>(last >> 64) - static_cast<double>(first >> 64), 64) +
         (static_cast<double>(static_cast<uint64_t>(last)) -
          static_cast<double>(static_cast<uint64_t>(first))) +
         1;
}

struct Range {
  Number first = 0, last = kMax;
};

// The ranges of addresses with one answer, in ascending order, without a gap. A prefix is preceded
// by those that it lies in, so that those which are open at any time are a stack.
class Answers {
 public:
  Answers(const BuiltRules* rules, Family family) : family_(family) {
    if (rules == nullptr) return;
    const auto begins = [&](const SourceRule& rule, Family f) {
      return rule.prefix.address.family() < f;
    };
    end_ = rules->rules.data() + rules->rules.size();
    next_ = std::lower_bound(rules->rules.data(), end_, family, begins);
  }

  // False: there is none any more. Neighbours may have the same answer.
  bool Next(Range& range, bool& denied) {
    if (done_) return false;
    while (next_ != end_ && next_->prefix.address.family() == family_ &&
           ToNumber(next_->prefix.address) == position_) {
      open_.push_back({position_ | HostBits(next_->prefix.length), next_->deny});
      ++next_;
    }
    denied = !open_.empty() && open_.back().deny;
    range.first = position_;
    range.last = open_.empty() ? kMax : open_.back().last;
    if (next_ != end_ && next_->prefix.address.family() == family_) {
      range.last = std::min(range.last, ToNumber(next_->prefix.address) - 1);
    }
    while (!open_.empty() && open_.back().last == range.last) open_.pop_back();
    done_ = range.last == kMax;
    position_ = range.last + 1;
    return true;
  }

 private:
  struct Open {
    Number last = 0;
    bool deny = false;
  };
  Family family_;
  const SourceRule* next_ = nullptr;
  const SourceRule* end_ = nullptr;
  std::vector<Open> open_;
  Number position_ = 0;
  bool done_ = false;
};

// The answers of several sets at once: `visit` is called with each range and, for each set, whether
// it denies; it returns false to end the walk.
template <size_t N, typename Visit>
void Walk(const std::array<const BuiltRules*, N>& sets, Family family, Visit visit) {
  std::array<Range, N> ranges;
  std::array<bool, N> denied{};
  std::vector<Answers> answers;
  for (size_t i = 0; i < N; ++i) {
    answers.emplace_back(sets[i], family);
    bool deny = false;
    answers[i].Next(ranges[i], deny);
    denied[i] = deny;
  }
  for (Number first = 0;;) {
    Number last = kMax;
    for (const Range& range : ranges) last = std::min(last, range.last);
    if (!visit(Range{first, last}, denied) || last == kMax) return;
    first = last + 1;
    for (size_t i = 0; i < N; ++i) {
      if (ranges[i].last != last) continue;
      bool deny = false;
      answers[i].Next(ranges[i], deny);
      denied[i] = deny;
    }
  }
}

// Where clients are.
Range Universe(Family family) {
  if (family == Family::kIpv4) return {};
  const Number first = Number{0x2} << 124;
  return {first, first | HostBits(3)};
}

double SizeWithin(const Range& range, const Range& universe) {
  const Number first = std::max(range.first, universe.first);
  const Number last = std::min(range.last, universe.last);
  return first > last ? 0 : Size(first, last);
}

std::optional<IpAddress> Find(const SourceAccess& access, Family family, bool wanted_denied) {
  std::optional<IpAddress> found;
  Walk<2>({access.global, access.own}, family, [&](const Range& range, const auto& denied) {
    if ((denied[0] || denied[1]) != wanted_denied) return true;
    // Not the first address of a network, which no client has.
    const Number step = family == Family::kIpv4 ? Number{1} << 96 : 1;
    const bool wide = range.last - range.first >= step;
    found = ToAddress(range.first + (wide ? step : 0), family);
    return false;
  });
  return found;
}

}  // namespace

Limit ToLimit(const std::optional<model::RateLimit>& limit) {
  constexpr uint32_t kSecond = 1'000'000'000;
  if (!limit || limit->rate == 0) return {};
  return {.interval_ns = kSecond / limit->rate, .burst = limit->burst};
}

SourceRuleList ListOf(const model::SourceRules& config) {
  SourceRuleList rules;
  rules.reserve(config.deny.size() + config.allow.size() + 2);
  for (const Prefix& prefix : config.deny) rules.push_back({prefix, true});
  for (const Prefix& prefix : config.allow) rules.push_back({prefix, false});
  const auto by_prefix = [](const SourceRule& a, const SourceRule& b) {
    return a.prefix < b.prefix;
  };
  // The defaults come last and so stand behind a prefix of length 0 that was written.
  const bool deny = config.fallback == model::SourceAction::kDeny;
  rules.push_back({{ToAddress(0, Family::kIpv4), 0}, deny});
  rules.push_back({{ToAddress(0, Family::kIpv6), 0}, deny});
  std::stable_sort(rules.begin(), rules.end(), by_prefix);
  const auto same = [](const SourceRule& a, const SourceRule& b) { return a.prefix == b.prefix; };
  rules.erase(std::unique(rules.begin(), rules.end(), same), rules.end());
  return rules;
}

std::shared_ptr<const BuiltRules> BuildRules(const model::SourceRules& config) {
  auto built = std::make_shared<BuiltRules>();
  built->config = config;
  built->rules = ListOf(config);
  built->digest = ComputeRulesDigest(built->rules);
  return built;
}

bool BuiltRules::Denies(const IpAddress& source) const {
  const auto less = [](const SourceRule& rule, const Prefix& wanted) {
    return rule.prefix < wanted;
  };
  for (int length = source.is_ipv4() ? 32 : 128; length >= 0; --length) {
    const Prefix wanted = Prefix::Of(source, static_cast<uint8_t>(length));
    const auto it = std::lower_bound(rules.begin(), rules.end(), wanted, less);
    if (it != rules.end() && it->prefix == wanted) return it->deny;
  }
  return config.fallback == model::SourceAction::kDeny;
}

bool SourceAccess::Denies(const IpAddress& source) const {
  return (global != nullptr && global->Denies(source)) || (own != nullptr && own->Denies(source));
}

bool SourceAccess::IsLockdown() const {
  return (global != nullptr && global->config.lockdown) || (own != nullptr && own->config.lockdown);
}

std::optional<IpAddress> FindAdmitted(const SourceAccess& access, Family family) {
  return Find(access, family, false);
}

std::optional<IpAddress> FindDenied(const SourceAccess& access, Family family) {
  return Find(access, family, true);
}

double AdmittedShare(const SourceAccess& access, Family family) {
  const Range universe = Universe(family);
  double admitted = 0;
  Walk<2>({access.global, access.own}, family, [&](const Range& range, const auto& denied) {
    if (!denied[0] && !denied[1]) admitted += SizeWithin(range, universe);
    return true;
  });
  return admitted / Size(universe.first, universe.last);
}

double NewlyDeniedShare(const SourceAccess& before, const SourceAccess& after, Family family) {
  if (before == after) return 0;
  const Range universe = Universe(family);
  double admitted = 0, lost = 0;
  Walk<4>({before.global, before.own, after.global, after.own}, family,
          [&](const Range& range, const auto& denied) {
            if (denied[0] || denied[1]) return true;
            const double size = SizeWithin(range, universe);
            admitted += size;
            if (denied[2] || denied[3]) lost += size;
            return true;
          });
  return admitted > 0 ? lost / admitted : 0;
}

}  // namespace evenkeel::guard
