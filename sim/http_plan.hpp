// The plan of each request of `sim http`: visitors and instances derive from it the bodies that
// they send and expect. Owned by one run; one thread.
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
  bool streamed =
      false;            // bodies are sent in parts, the response's chunked; else each in one write
  Duration thinking{};  // time that the instance takes to answer
  // Observed during the run.
  int received = 0;  // how often instances received it
};

class Plans {
 public:
  // Draws a new request.
  Plan& Draw(Random& random);
  // The plan with this path; null if there is none.
  Plan* Find(std::string_view path);
  static std::string PathOf(const Plan& plan);

  const std::vector<Plan>& all() const { return plans_; }

 private:
  std::vector<Plan> plans_;
};

// The bodies of a plan; different for every plan.
std::string RequestBody(const Plan& plan);
std::string ResponseBody(const Plan& plan);

}  // namespace meridian::sim
