// SPDX-License-Identifier: Apache-2.0
//
// What becomes of one packet, decision by decision, as the kernel's own maps have it, held against
// what the loaded program does with that packet.
#ifndef EVENKEEL_CONTROL_PUBLISH_EXPLAIN_H_
#define EVENKEEL_CONTROL_PUBLISH_EXPLAIN_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"
#include "control/dataplane/lookups.h"
#include "control/guard/fleet.h"
#include "control/neighbor/neighbor.h"
#include "control/publish/probe.h"

namespace evenkeel::publish {

// A server of a table; id 0: nobody.
struct ExplainedServer {
  uint16_t id = 0;  // pool-local
  std::string name{};
  model::IpAddress address{};
  double share = 0;  // of the pool's slots, 0..1
};

// What one set of source rules says of the client.
struct RuleAnswer {
  std::string set{};
  bool global = false;
  std::string prefix{};  // the longest one that has the client; empty: the set is not known
  bool denied = false;
};

// Whether a limit would let the packet pass at this moment.
struct LimitAnswer {
  guard::Limit limit{};
  bool within = true;
};

enum class Choice { kNobody, kOwner, kPrevious, kPin, kConnectionId };

struct Explanation {
  Flow flow{};
  bool opens = false;  // to the data plane: a TCP SYN, or the first packet of a QUIC connection

  // Empty: it is for no VIP, and nothing below is set but `verdict`.
  std::optional<dataplane::VipKey> vip{};
  std::string vip_name{}, pool{};  // empty where the kernel's state is not known to the daemon
  std::vector<RuleAnswer> rules{};
  std::optional<LimitAnswer> source_limit{}, new_flow_limit{};  // those that concern the packet

  // Not set for a client that is denied.
  uint64_t hash = 0;
  uint32_t slot = 0, slots = 0;  // slots 0: the packet did not get so far
  std::string spread_by{};       // what the slot follows from: "flow", "source", "port"
  ExplainedServer owner{}, previous{};
  bool follows_owner = false;           // stateless: moving slots are followed at once
  std::optional<dataplane::Pin> pin{};  // asked for only where the slot moves
  uint32_t pin_age = 0;                 // since its last packet, in EK_SEEN units
  bool pin_holds = false;
  Choice choice = Choice::kNobody;

  ExplainedServer backend{};
  uint8_t method = EK_METHOD_NONE;
  std::optional<dataplane::NextHop> next_hop{};
  std::string interface {
  }, gateway{};                                     // of the next hop, as far as they are known
  std::string problem{};                            // why there is no next hop
  std::string outer_source{}, outer_destination{};  // as they stand in what the program made

  ek_verdict verdict = EK_PASS_NO_VIP;
  uint32_t action = 0;  // of the program, enum xdp_action
  // How the program, or what was published, differs from what the maps say; empty: they agree.
  std::string disagreement{};
};

struct ExplainResult {
  bool published = false;  // false: nothing is, and every packet passes
  uint32_t generation = 0;
  uint64_t revision = 0;
  int64_t published_unix_ns = 0;
  guard::Digest digest{};
  std::vector<Explanation> packets{};
};
inline constexpr size_t kMaxExplained = 1024;

// With the publisher's lock held: nobody else uses the staged word, and slots and next hops stay as
// they are. Packets go on meanwhile; what they change of a pin is read again.
class Explainer {
 public:
  // All must outlive it; `fleet`, the state that was published, may be null.
  Explainer(dataplane::DataPlane* dataplane, const neighbor::Resolver* resolver,
            const std::array<uint64_t, 2>& key, const guard::BuiltFleet* fleet);

  absl::StatusOr<Explanation> Explain(const dataplane::ActiveGeneration& active, const Flow& flow);

 private:
  struct Serves {
    const model::Vip* vip = nullptr;
    const guard::BuiltPool* pool = nullptr;
  };
  using Named = absl::flat_hash_map<model::IpAddress, std::pair<std::string, double>>;

  absl::StatusOr<std::optional<dataplane::VipImage>> FindVip(
      const dataplane::ActiveGeneration& active, const Flow& flow) const;
  const Named& NamesOf(const guard::BuiltPool& pool);
  absl::Status AskRules(const dataplane::VipImage& vip, Explanation* out) const;
  absl::Status AskLimits(const dataplane::VipImage& vip, Explanation* out) const;
  absl::StatusOr<uint16_t> AskConnectionId(const dataplane::VipImage& vip, Explanation* out) const;
  absl::StatusOr<uint16_t> Choose(const dataplane::VipImage& vip, Explanation* out);
  absl::StatusOr<ExplainedServer> Describe(const dataplane::VipImage& vip, uint16_t id);
  absl::Status Predict(const dataplane::VipImage& vip, Explanation* out,
                       std::optional<dataplane::BackendImage>* backend);
  absl::Status Run(const dataplane::ActiveGeneration& active,
                   const std::optional<dataplane::VipImage>& vip,
                   const std::optional<dataplane::BackendImage>& backend, Explanation* out) const;
  void CompareWithFleet(const dataplane::VipImage& vip, Explanation* out) const;

  dataplane::DataPlane* const dataplane_;
  const neighbor::Resolver* const resolver_;
  const std::array<uint64_t, 2> key_;
  const guard::BuiltFleet* const fleet_;
  absl::flat_hash_map<dataplane::VipKey, Serves> vips_;
  absl::flat_hash_map<std::string, Named> names_;  // by pool
  const guard::BuiltPool* pool_ = nullptr;         // of the packet in hand
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_EXPLAIN_H_
