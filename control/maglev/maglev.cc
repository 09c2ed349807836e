// SPDX-License-Identifier: Apache-2.0
//
// Section 3.4 of the paper lets the backends take turns, each claiming the next free slot of its
// own permutation. Here a member of weight w takes its k-th turn at time k / w, ties going to the
// lower id, until it has its quota. Equal weights give the paper's rounds; a member that leaves or
// changes its weight does not change the order of the others' turns, so few of their slots move.
#include "control/maglev/maglev.h"

#include <algorithm>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/maglev/siphash.h"

namespace evenkeel::maglev {
namespace {

struct Turn {
  double time;
  uint32_t member;
};

// A member's walk over the slots: offset, offset + skip, ... modulo the prime size.
struct Walk {
  uint32_t position;
  uint32_t skip;
};

Walk MakeWalk(const std::string& id, uint32_t size, const HashKey& key) {
  // One byte after the id separates the two hashes.
  const uint64_t offset = SipHash24(key, id + '\0');
  const uint64_t skip = SipHash24(key, id + '\1');
  return {static_cast<uint32_t>(offset % size), static_cast<uint32_t>(skip % (size - 1) + 1)};
}

// All turns in order of (time, member), by a bucket sort: times are spread evenly, because every
// member fills its quota at about the same pace.
std::vector<uint32_t> TurnOrder(std::span<const uint64_t> weights, std::span<const uint32_t> quota,
                                uint32_t size) {
  double total = 0;
  for (uint64_t w : weights) total += static_cast<double>(w);
  const uint32_t buckets = size / 4 + 1;
  const double pace = total / size * buckets;
  const auto bucket_of = [&](double time) {
    return static_cast<uint32_t>(std::min<double>(time * pace, buckets - 1));
  };
  std::vector<uint32_t> begin(buckets + 1, 0);
  const auto for_each_turn = [&](auto&& visit) {
    for (uint32_t i = 0; i < weights.size(); ++i) {
      const double weight = static_cast<double>(weights[i]);
      for (uint32_t k = 1; k <= quota[i]; ++k) visit(Turn{k / weight, i});
    }
  };
  for_each_turn([&](const Turn& t) { ++begin[bucket_of(t.time) + 1]; });
  std::partial_sum(begin.begin(), begin.end(), begin.begin());

  std::vector<Turn> turns(size);
  std::vector<uint32_t> next(begin.begin(), begin.end() - 1);
  for_each_turn([&](const Turn& t) { turns[next[bucket_of(t.time)]++] = t; });
  const auto less = [](const Turn& a, const Turn& b) {
    return a.time != b.time ? a.time < b.time : a.member < b.member;
  };
  for (uint32_t b = 0; b < buckets; ++b) {
    const auto from = turns.begin() + begin[b], to = turns.begin() + begin[b + 1];
    if (!std::is_sorted(from, to, less)) std::sort(from, to, less);
  }
  std::vector<uint32_t> order(size);
  std::transform(turns.begin(), turns.end(), order.begin(), [](const Turn& t) { return t.member; });
  return order;
}

std::vector<uint16_t> Fill(std::span<const uint32_t> order, std::vector<Walk> walks,
                           uint32_t size) {
  std::vector<uint16_t> owner(size, kNoOwner);
  // One bit a slot: an eighth of the cache that probing the owners would need.
  std::vector<uint64_t> taken(size / 64 + 1, 0);
  for (uint32_t member : order) {
    Walk& walk = walks[member];
    uint32_t slot = walk.position;
    while (taken[slot / 64] >> (slot % 64) & 1) {
      slot += walk.skip;
      if (slot >= size) slot -= size;
    }
    taken[slot / 64] |= uint64_t{1} << (slot % 64);
    owner[slot] = static_cast<uint16_t>(member);
    walk.position = slot + walk.skip >= size ? slot + walk.skip - size : slot + walk.skip;
  }
  return owner;
}

absl::Status CheckArguments(std::span<const Member* const> sorted, uint32_t size) {
  if (!IsPrime(size)) {
    return absl::InvalidArgumentError(absl::StrCat("table size ", size, " is not prime"));
  }
  if (sorted.size() > size || sorted.size() >= kNoOwner) {
    return absl::InvalidArgumentError(absl::StrCat(sorted.size(), " members do not fit into ", size,
                                                   " slots; raise the table size"));
  }
  for (size_t i = 0; i < sorted.size(); ++i) {
    const std::string& id = sorted[i]->id;
    const std::string shown = absl::CHexEscape(id);
    if (id.empty()) return absl::InvalidArgumentError("a member has an empty id");
    if (sorted[i]->weight == 0) {
      return absl::InvalidArgumentError(absl::StrCat("member \"", shown, "\" has weight 0"));
    }
    if (i > 0 && sorted[i - 1]->id == id) {
      return absl::InvalidArgumentError(absl::StrCat("member \"", shown, "\" is listed twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsPrime(uint32_t n) {
  if (n < 4) return n >= 2;
  if (n % 2 == 0) return false;
  for (uint64_t d = 3; d * d <= n; d += 2) {
    if (n % d == 0) return false;
  }
  return true;
}

absl::StatusOr<Table> Build(std::span<const Member> members, uint32_t size, const HashKey& key) {
  std::vector<const Member*> sorted;
  sorted.reserve(members.size());
  for (const Member& member : members) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(),
            [](const Member* a, const Member* b) { return a->id < b->id; });
  if (absl::Status status = CheckArguments(sorted, size); !status.ok()) return status;
  if (sorted.empty()) return Table{std::vector<uint16_t>(size, kNoOwner), {}};

  std::vector<uint64_t> weights;
  std::vector<Walk> walks;
  for (const Member* member : sorted) {
    weights.push_back(member->weight);
    walks.push_back(MakeWalk(member->id, size, key));
  }
  Table table;
  table.quota = Quotas(weights, size);
  table.owner = Fill(TurnOrder(weights, table.quota, size), std::move(walks), size);
  return table;
}

}  // namespace evenkeel::maglev
