// The links between the data centers of a lab: latency, rate, and cut directions of each. Pure.
//
// Owned by the lab; one thread. Invariant: every two data centers have one link, with the latency
// of their distance at first and after it is healed.
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
  // The time of arrival of data that is sent now: it waits in the queue of the link's rate behind
  // earlier data, then travels half the round trip, plus or minus half the jitter.
  TimePoint Arrival(size_t bytes, TimePoint now, Random& random);
  // NextSendTime: the time at which a sender may send more, shortly before the link's queue is
  // empty. PieceBytes: the maximum of bytes to send then, so that other connections get their
  // share.
  TimePoint NextSendTime() const;
  size_t PieceBytes() const;
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
    kSet,      // changes the given settings; the others stay
    kCut,      // nothing arrives at either end
    kHalfCut,  // data from the first-named end does not arrive at the other
    kHeal,     // restores the initial settings
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

  // kNotFound: no such data center, or both names are equal. kInvalid: outside the limits; then
  // nothing changes.
  Result<void> Apply(std::string_view from, std::string_view to, const LinkOrder& order);

  // In the order of site.toml. References are valid as long as the table.
  const std::deque<Link>& links() const { return links_; }
  // The direction from one data center to another; both must be of the site.
  LinkDirection& DirectionFrom(std::string_view from, std::string_view to);

 private:
  Link* Find(std::string_view one, std::string_view other);
  static void Settle(Link& link, uint64_t bits_per_second);

  std::deque<Link> links_;
};

// The minimum round-trip time between two places: light in fibre, along roads.
Duration RoundTripBetween(const Location& a, const Location& b);

}  // namespace meridian::lab
