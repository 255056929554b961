// The metrics of servers. The servers of one thread share one object; each further thread has its
// own, in its part of the Metrics. Every series is exported as 0 from the start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/metrics.hpp"

namespace meridian::http {

class ServerMetrics {
 public:
  // The class of a response by the first digit of its status; 0: aborted.
  static constexpr std::array<const char*, 6> kStatusClasses = {"broken", "1xx", "2xx",
                                                                "3xx",    "4xx", "5xx"};

  // Series are named `prefix`_connections_total and so on; `prefix` is "meridian_edge", say.
  ServerMetrics(Metrics& metrics, const std::string& prefix);

  void ConnectionOpened() {
    connections_.Add();
    open_.Add(1);
  }
  void ConnectionClosed() { open_.Add(-1); }
  // A connection beyond the limit got a 503 or was closed.
  void ConnectionRefused() { refused_.Add(); }
  // What a connection waited for when it was evicted to make room for another one.
  enum class Evicted : uint8_t { kHandshake, kIdle, kHead };
  void ConnectionEvicted(Evicted evicted) { evicted_[static_cast<size_t>(evicted)]->Add(); }
  // An exchange ended; `status` is 0 when the client got no whole response.
  void Answered(int status) { answers_[static_cast<size_t>(status / 100)]->Add(); }
  void Received(uint64_t bytes) { received_.Add(bytes); }
  void Sent(uint64_t bytes) { sent_.Add(bytes); }

 private:
  Counter& connections_;
  Counter& refused_;
  std::array<Counter*, 3> evicted_;  // by Evicted
  Gauge& open_;
  Counter& received_;
  Counter& sent_;
  std::array<Counter*, 6> answers_;  // by the status's first digit; 0: aborted
};

}  // namespace meridian::http
