// What the producers of `sim mirrors` were promised, and whether it holds at the end. Every
// record's value is unique and names its topic and its number: "orders-17" is the 17th.
//
// Owned by one run; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "io/sim/world.hpp"

namespace meridian::sim {

class MirrorsOracle {
 public:
  explicit MirrorsOracle(io::sim::World& world) : world_(world) {}

  // An acknowledgement. `certain`: enough data centers had the record; so no promotion takes it
  // away. Else its home went on without them.
  void Acknowledged(const std::string& topic, int64_t offset, const std::string& value,
                    bool certain);
  // The producer of the topic got a new id: a batch may have been appended under the last one.
  void MayRepeat(const std::string& topic) { topics_[topic].may_repeat = true; }
  bool has_lost_any(const std::string& topic) const;

  // What the topic's home has in the end, by offset.
  void CheckContent(const std::string& topic, const std::map<int64_t, std::string>& content);

 private:
  struct Known {
    std::map<int64_t, std::string> certain;  // by offset
    bool uncertain = false;                  // acknowledged by a home that went on alone
    bool may_repeat = false;
  };

  io::sim::World& world_;
  std::map<std::string, Known> topics_;
};

}  // namespace meridian::sim
