#include "session/replication/matrix_clock.hpp"

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

// u64 time, u8 count, then for each u8 bytes of the name, the name, u64 applied; big-endian.
std::string EncodeHeartbeat(const Heartbeat& heartbeat) {
  std::string bytes;
  PutTime(heartbeat.time, &bytes);
  bytes += static_cast<char>(heartbeat.data_centers.size());
  for (size_t i = 0; i < heartbeat.data_centers.size(); ++i) {
    bytes += static_cast<char>(heartbeat.data_centers[i].size());
    bytes += heartbeat.data_centers[i];
    PutTime(heartbeat.applied[i], &bytes);
  }
  return bytes;
}

Result<Heartbeat> DecodeHeartbeat(Bytes bytes) {
  ByteReader reader(bytes);
  Heartbeat heartbeat;
  heartbeat.time.bits = reader.U64();
  size_t count = reader.U8();
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    heartbeat.data_centers.emplace_back(AsText(reader.Take(reader.U8())));
    heartbeat.applied.push_back({reader.U64()});
  }
  if (!reader.ok() || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "a heartbeat of {} bytes cannot be decoded", bytes.size());
  }
  return heartbeat;
}

MatrixClock::MatrixClock(std::vector<std::string> data_centers, size_t own_id)
    : data_centers_(std::move(data_centers)),
      own_id_(own_id),
      applied_(data_centers_.size()),
      acknowledged_(data_centers_.size()),
      complete_(data_centers_.size()) {}

Result<void> MatrixClock::Observe(size_t replica_id, const Heartbeat& heartbeat) {
  if (heartbeat.data_centers != data_centers_) {
    return Fail(Errc::kInvalid, "{} counts the data centers as {}; here they are counted as {}",
                data_centers_[replica_id], fmt::join(heartbeat.data_centers, ", "),
                fmt::join(data_centers_, ", "));
  }
  applied_[replica_id] = std::max(applied_[replica_id], heartbeat.time);
  acknowledged_[replica_id] = std::max(acknowledged_[replica_id], heartbeat.applied[own_id_]);
  complete_[replica_id] = std::max(complete_[replica_id], std::ranges::min(heartbeat.applied));
  return {};
}

Heartbeat MatrixClock::MakeHeartbeat(HybridTime now) const {
  Heartbeat heartbeat{.time = now, .data_centers = data_centers_, .applied = applied_};
  heartbeat.applied[own_id_] = now;
  return heartbeat;
}

HybridTime MatrixClock::stability_horizon() const {
  HybridTime stability_horizon = HybridTime::Max();
  for (size_t i = 0; i < data_centers_.size(); ++i) {
    if (i != own_id_) stability_horizon = std::min({stability_horizon, applied_[i], complete_[i]});
  }
  return stability_horizon;
}

}  // namespace meridian::session
