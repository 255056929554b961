// The links between the data centers of a lab: how far apart the ends of each are, how much it
// carries, and which direction is cut. Pure.
//
// Owned by the lab; one thread. Invariant: every two data centers have one link; it begins with the
// latency of their distance, and goes back to that when it is healed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/geography.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "lab/token_bucket.hpp"
#include "site/site.hpp"

namespace meridian::lab {

// One direction of a link.
class LinkDirection {
 public:
  // When what is sent now arrives, after what was sent before: it waits for its turn at the link's
  // rate, then travels half the round trip, give or take half the jitter.
  TimePoint Arrival(size_t bytes, TimePoint now, Random& random);
  // When a sender may hand over more: not long before the link has sent what it was given. How much
  // then: at most so many bytes, that others get their turns.
  TimePoint NextTurn() const;
  size_t TurnBytes() const;
  uint64_t rate() const { return bucket_.rate(); }  // bits a second; 0: unbounded
  bool cut() const { return cut_; }
  uint64_t carried_bytes() const { return carried_bytes_; }
  void OnCarried(size_t bytes) { carried_bytes_ += bytes; }

 private:
  friend class LinkTable;
  Duration latency_{};
  Duration jitter_{};
  TokenBucket bucket_;
  bool cut_ = false;
  uint64_t carried_bytes_ = 0;
};

struct LinkOrder {
  enum class Kind : uint8_t {
    kSet,      // what is given; the rest stays
    kCut,      // nothing arrives at either end
    kHalfCut,  // nothing of the end that is named first arrives at the other
    kHeal,     // as it was in the beginning
  };
  Kind kind = Kind::kSet;
  std::optional<Duration> round_trip = {};
  std::optional<Duration> jitter = {};
  std::optional<uint64_t> bits_per_second = {};  // 0: unbounded
};

struct Link {
  std::string a;
  std::string b;
  Duration default_round_trip{};
  Duration round_trip{};
  Duration jitter{};
  LinkDirection from_a;
  LinkDirection from_b;
};

class LinkTable {
 public:
  // Links between all data centers of the site.
  explicit LinkTable(const site::Site& site);

  // kNotFound: no such data center, or twice the same. kInvalid: outside the limits; nothing is
  // changed then.
  Result<void> Apply(std::string_view from, std::string_view to, const LinkOrder& order);

  // In the order of site.toml. References hold as long as the table.
  const std::deque<Link>& links() const { return links_; }
  // The direction from one to the other, which are two of the site's.
  LinkDirection& DirectionFrom(std::string_view from, std::string_view to);

 private:
  Link* Find(std::string_view one, std::string_view other);
  static void Settle(Link& link, uint64_t bits_per_second);

  std::deque<Link> links_;
};

// The round trip that the way between two places takes at best: light in fibre, along roads.
Duration RoundTripBetween(const Location& a, const Location& b);

}  // namespace meridian::lab
