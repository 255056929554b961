// The acknowledgements that the clients of `sim session` got, and the promises that follow from
// them. Owned by one run; one thread.
//
// The name of a key determines its promise:
//   log         a set without removals: an acknowledged member stays for ever
//   count       a counter: at least the acknowledged sum, at most the attempted sum
//   once:N      written once, deleted at most once, touched meanwhile: it never comes back
//   brief:N     written once, with an expiry
//   anything else: all data centers hold the same in the end
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/sim/world.hpp"

namespace meridian::sim {

// The content of one data center as its clients see it: a text per key.
using Contents = std::map<std::string, std::string, std::less<>>;

class SessionOracle {
 public:
  explicit SessionOracle(io::sim::World& world) : world_(world) {}

  std::string NewKey(std::string_view prefix) {
    return std::string(prefix) + std::to_string(++last_);
  }
  void Tried(int64_t added) { tried_ += added; }
  // The write is on the disk of one data center, and on those of `acknowledgements` others.
  void Counted(int64_t added) { counted_ += added; }
  void Added(const std::string& member, size_t replica, size_t acknowledgements);
  void Deleted(const std::string& key, size_t replica) { deleted_[key] = replica; }

  // Checks one data center's content, at any time, also at a start before it heard the others.
  void CheckReplica(size_t replica, const Contents& contents);
  // Checks the remaining data centers at the end of the run. A lost data center may have taken
  // writes with it that only it had; the last argument says whether the others must hold the same
  // nevertheless.
  void CheckEnd(const std::vector<Contents>& replicas, std::optional<size_t> lost,
                bool holds_the_same);

 private:
  struct Member {
    size_t replica = 0;
    size_t acknowledgements = 0;
  };
  void CheckSame(const std::vector<Contents>& replicas);
  void CheckMembers(const std::vector<Contents>& replicas, bool one_is_lost);

  io::sim::World& world_;
  uint64_t last_ = 0;
  int64_t tried_ = 0;
  int64_t counted_ = 0;
  std::map<std::string, Member> members_;
  std::map<std::string, size_t> deleted_;  // key -> data center
};

}  // namespace meridian::sim
