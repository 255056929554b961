#include "lab/link_table.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string_view>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/geography.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "lab/limits.hpp"
#include "site/site.hpp"

namespace meridian::lab {
namespace {

constexpr double kKmPerMillisecond = 200;  // speed of light in glass
// Cables follow coasts and roads: measured latencies between cloud regions are 1.4 to 1.8 times
// those of the great circle.
constexpr double kDetour = 1.6;

Result<void> Check(const LinkOrder& order) {
  auto too_long = [](const std::optional<Duration>& given) {
    return given && (*given < Duration::zero() || *given > kMaxLinkDelay);
  };
  if (too_long(order.round_trip) || too_long(order.jitter)) {
    return Fail(Errc::kInvalid, "latency and jitter are at most {:g} s", Seconds(kMaxLinkDelay));
  }
  if (order.bits_per_second.value_or(0) != 0 && *order.bits_per_second < kMinLinkBits) {
    return Fail(Errc::kInvalid, "the rate is at least {} kbit", kMinLinkBits / 1000);
  }
  return {};
}

}  // namespace

Duration RoundTripBetween(const Location& a, const Location& b) {
  double milliseconds = 2 * DistanceKm(a, b) / kKmPerMillisecond * kDetour;
  auto exact = std::chrono::duration<double, std::milli>(milliseconds);
  return std::chrono::round<std::chrono::microseconds>(exact);
}

TimePoint LinkDirection::Arrival(size_t bytes, TimePoint now, Random& random) {
  auto varied =
      static_cast<Duration::rep>((random.Unit() - 0.5) * static_cast<double>(jitter_.count()));
  Duration travel = std::max(latency_ + Duration(varied), Duration::zero());
  return SaturatingAdd(bucket_.Take(bytes, now), travel);
}

TimePoint LinkDirection::NextSendTime() const { return bucket_.spent_until() - kLinkQueue; }

size_t LinkDirection::PieceBytes() const {
  if (bucket_.rate() == 0) return kLinkPieceBytes;
  double bytes = Seconds(kLinkQueue) * static_cast<double>(bucket_.rate()) / 8;
  return std::clamp(static_cast<size_t>(bytes), kMinLinkPieceBytes, kLinkPieceBytes);
}

LinkTable::LinkTable(const site::Site& site) {
  const auto& all = site.datacenters;
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = i + 1; j < all.size(); ++j) {
      Duration round_trip = RoundTripBetween(all[i].location, all[j].location);
      links_.push_back({.a = all[i].name,
                        .b = all[j].name,
                        .default_round_trip = round_trip,
                        .round_trip = round_trip,
                        .jitter = {},
                        .from_a = {},
                        .from_b = {}});
      Settle(links_.back(), 0);
    }
  }
}

void LinkTable::Settle(Link& link, uint64_t bits_per_second) {
  for (LinkDirection* way : {&link.from_a, &link.from_b}) {
    way->latency_ = link.round_trip / 2;
    way->jitter_ = link.jitter;
    if (way->bucket_.rate() != bits_per_second) way->bucket_.SetRate(bits_per_second);
  }
}

Link* LinkTable::Find(std::string_view one, std::string_view other) {
  auto found = std::ranges::find_if(links_, [&](const Link& link) {
    return (link.a == one && link.b == other) || (link.a == other && link.b == one);
  });
  return found == links_.end() ? nullptr : &*found;
}

LinkDirection& LinkTable::DirectionFrom(std::string_view from, std::string_view to) {
  Link* link = Find(from, to);
  CHECK(link != nullptr);
  return link->a == from ? link->from_a : link->from_b;
}

Result<void> LinkTable::Apply(std::string_view from, std::string_view to, const LinkOrder& order) {
  Link* link = Find(from, to);
  if (link == nullptr) return Fail(Errc::kNotFound, "there is no link {} {}", from, to);
  Result<void> good = Check(order);
  if (!good) return good;
  switch (order.kind) {
    case LinkOrder::Kind::kSet:
      link->round_trip = order.round_trip.value_or(link->round_trip);
      link->jitter = order.jitter.value_or(link->jitter);
      Settle(*link, order.bits_per_second.value_or(link->from_a.bucket_.rate()));
      return {};
    case LinkOrder::Kind::kCut:
    case LinkOrder::Kind::kHalfCut:
      link->from_a.cut_ = link->from_b.cut_ = order.kind == LinkOrder::Kind::kCut;
      DirectionFrom(from, to).cut_ = true;
      return {};
    case LinkOrder::Kind::kHeal:
      link->from_a.cut_ = link->from_b.cut_ = false;
      link->round_trip = link->default_round_trip;
      link->jitter = {};
      Settle(*link, 0);
      return {};
  }
  return {};
}

}  // namespace meridian::lab
