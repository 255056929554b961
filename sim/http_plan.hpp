// What each request of `sim http` is to be, known to those who send it and to those who answer it,
// so that both can tell whether what they got is whole. Owned by one run; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace meridian::sim {

inline constexpr std::string_view kIdField = "X-Id";

struct Plan {
  uint32_t id = 0;
  std::string_view method;
  size_t request_bytes = 0;
  size_t response_bytes = 0;
  bool streamed = false;  // bodies in parts, the response's chunked; else in one piece
  Duration thinking{};    // of the instance
  // What happened.
  int received = 0;  // by instances
};

class Plans {
 public:
  // A new request, by the seed.
  Plan& Draw(Random& random);
  // The one that a path names; null when none does.
  Plan* Find(std::string_view path);
  static std::string PathOf(const Plan& plan);

  const std::vector<Plan>& all() const { return plans_; }

 private:
  std::vector<Plan> plans_;
};

// The bodies that belong to a plan: no two plans' are alike.
std::string RequestBody(const Plan& plan);
std::string ResponseBody(const Plan& plan);

}  // namespace meridian::sim
