#include "session/replication/knowledge.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"

namespace meridian::session {
namespace {

void PutTime(HybridTime time, std::string* into) {
  for (int shift = 56; shift >= 0; shift -= 8) *into += static_cast<char>(time.bits >> shift);
}

}  // namespace

// u64 time, u8 count, then for each u8 bytes of the name, the name, u64 heard; big-endian.
std::string EncodeBeat(const Beat& beat) {
  std::string bytes;
  PutTime(beat.time, &bytes);
  bytes += static_cast<char>(beat.data_centers.size());
  for (size_t i = 0; i < beat.data_centers.size(); ++i) {
    bytes += static_cast<char>(beat.data_centers[i].size());
    bytes += beat.data_centers[i];
    PutTime(beat.heard[i], &bytes);
  }
  return bytes;
}

Result<Beat> DecodeBeat(Bytes bytes) {
  ByteReader reader(bytes);
  Beat beat;
  beat.time.bits = reader.U64();
  size_t count = reader.U8();
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    beat.data_centers.emplace_back(AsText(reader.Take(reader.U8())));
    beat.heard.push_back({reader.U64()});
  }
  if (!reader.ok() || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "a beat of {} bytes cannot be read", bytes.size());
  }
  return beat;
}

Knowledge::Knowledge(std::vector<std::string> data_centers, size_t here)
    : data_centers_(std::move(data_centers)),
      here_(here),
      heard_(data_centers_.size()),
      acknowledged_(data_centers_.size()) {}

Result<void> Knowledge::Hear(size_t origin, const Beat& beat) {
  if (beat.data_centers != data_centers_) {
    return Fail(Errc::kInvalid, "{} has the data centers {}, in this order; here they are {}",
                data_centers_[origin], fmt::join(beat.data_centers, ", "),
                fmt::join(data_centers_, ", "));
  }
  heard_[origin] = std::max(heard_[origin], beat.time);
  acknowledged_[origin] = std::max(acknowledged_[origin], beat.heard[here_]);
  return {};
}

Beat Knowledge::MakeBeat(HybridTime now) const {
  Beat beat{.time = now, .data_centers = data_centers_, .heard = heard_};
  beat.heard[here_] = now;
  return beat;
}

HybridTime Knowledge::known() const {
  HybridTime known = HybridTime::Max();
  for (size_t i = 0; i < data_centers_.size(); ++i) {
    if (i != here_) known = std::min({known, heard_[i], acknowledged_[i]});
  }
  return known;
}

}  // namespace meridian::session
