#include "balancer/config.hpp"

#include <chrono>
#include <cstdint>

#include "site/section.hpp"
#include "site/table_reader.hpp"

namespace meridian::balancer {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kMostRetries = 10;

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  config.retries = static_cast<int>(
      reader.Integer("retries", {.min = 0, .max = kMostRetries, .fallback = config.retries}));
  config.response_timeout = reader.Duration(
      "response_timeout",
      {.min = milliseconds{100}, .max = minutes{60}, .fallback = config.response_timeout});
  config.health_interval = reader.Duration(
      "health_interval",
      {.min = milliseconds{100}, .max = minutes{5}, .fallback = config.health_interval});
  config.health_timeout = reader.Duration(
      "health_timeout",
      {.min = milliseconds{10}, .max = minutes{1}, .fallback = config.health_timeout});
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("balancer", &Parse); }

}  // namespace meridian::balancer
