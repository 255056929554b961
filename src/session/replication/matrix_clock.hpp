// Knowledge: who knows what of whose writes, and so what may be forgotten: a matrix clock. Each
// data center writes a beat to its own log, each second, which says up to when it has applied
// everybody's writes. As a log is in the order of its stamps, whoever reads a beat has all that its
// writer had written before it.
//
// What has a stamp up to known() was applied in every data center, and all of it was applied here.
// Traces of it can go: no log will bring it here again, and nobody needs to hear of it from here.
//
// Pure. Owned by the Replication; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"

namespace meridian::session {

struct Heartbeat {
  // Earlier records of its writer have lower stamps, later ones have higher ones.
  HybridTime time;
  // The site's data centers, in the order by which they are known in stamps.
  std::vector<std::string> data_centers;
  // For each: up to when its writes are applied there.
  std::vector<HybridTime> heard;

  bool operator==(const Heartbeat&) const = default;
};
std::string EncodeHeartbeat(const Heartbeat& heartbeat);
// kInvalid.
Result<Heartbeat> DecodeHeartbeat(Bytes bytes);

class MatrixClock {
 public:
  // `here`: our own place among them.
  MatrixClock(std::vector<std::string> data_centers, size_t here);

  // A beat of another one, and all before it in its log, was applied. kInvalid: it counts the data
  // centers in another way than we do, so that its stamps would mean something else.
  Result<void> Hear(size_t replica_id, const Heartbeat& heartbeat);
  // Our own, for our log; `now` is above all stamps that we gave.
  Heartbeat MakeHeartbeat(HybridTime now) const;

  HybridTime stability_horizon() const;
  // Up to when the writes of `origin` are applied here.
  HybridTime heard(size_t replica_id) const { return heard_[replica_id]; }
  // Up to when ours are applied there.
  HybridTime acknowledged(size_t replica_id) const { return acknowledged_[replica_id]; }
  const std::vector<std::string>& data_centers() const { return data_centers_; }
  size_t here() const { return here_; }

 private:
  std::vector<std::string> data_centers_;
  size_t here_;
  std::vector<HybridTime> heard_;
  std::vector<HybridTime> acknowledged_;
};

}  // namespace meridian::session
