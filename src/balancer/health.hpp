// Whether an instance should get requests: what the agent says of it, what our own checks of its
// health path say, and what happens to the requests that it gets. Pure: told events, asked
// `usable`.
//
// Invariants: an instance that the agent says is not there is never usable. A fresh instance counts
// as the agent says until our first check ends. One refused connection takes it out at once
// (nothing listens: its process died); other failures of requests take it out when kPassiveMisses
// come in a row. Only a good check brings it back.
#pragma once

#include <algorithm>
#include <cstdint>

namespace meridian::balancer {

class InstanceHealth {
 public:
  static constexpr uint32_t kCheckMisses = 2;
  static constexpr uint32_t kPassiveMisses = 5;

  bool usable() const { return said_healthy_ && !out_; }
  // Taken out by our own evidence, though the agent says that it is healthy.
  bool ejected() const { return out_; }

  void OnView(bool said_healthy) { said_healthy_ = said_healthy; }

  void OnCheck(bool good) {
    if (good) {
      out_ = false;
      check_misses_ = passive_misses_ = 0;
    } else if (++check_misses_ >= kCheckMisses) {
      out_ = true;
    }
  }

  void OnRefused() { out_ = true; }
  void OnRequestFailed() { out_ = out_ || ++passive_misses_ >= kPassiveMisses; }
  void OnAnswered() { passive_misses_ = 0; }

 private:
  bool said_healthy_ = false;
  bool out_ = false;
  uint32_t check_misses_ = 0;
  uint32_t passive_misses_ = 0;
};

}  // namespace meridian::balancer
