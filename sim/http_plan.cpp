#include "sim/http_plan.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/random.hpp"

namespace meridian::sim {
namespace {

constexpr size_t kMaxPlans = 256;  // reserved, because handlers refer to plans
constexpr std::string_view kPathPrefix = "/request/";

std::string Body(uint32_t seed, size_t bytes) {
  std::string body(bytes, '\0');
  uint32_t value = seed * 2654435761U + 1;
  for (char& byte : body) {
    value = value * 1664525U + 1013904223U;
    byte = static_cast<char>('a' + (value >> 24) % 26);
  }
  return body;
}

// Mostly small, sometimes larger than a connection's window.
size_t DrawSize(Random& random) {
  return random.Chance(0.06) ? random.Below(150'000) : random.Below(3'000);
}

}  // namespace

Plan& Plans::Draw(Random& random) {
  static constexpr std::array<std::string_view, 6> kMethods = {"GET",  "GET",  "GET",
                                                               "POST", "POST", "PUT"};
  if (plans_.empty()) plans_.reserve(kMaxPlans);
  CHECK(plans_.size() < kMaxPlans);
  Plan plan{.id = static_cast<uint32_t>(plans_.size()),
            .method = kMethods[random.Below(kMethods.size())],
            .response_bytes = DrawSize(random),
            .streamed = random.Chance(0.4)};
  if (plan.method != "GET") plan.request_bytes = DrawSize(random);
  if (random.Chance(0.5)) plan.thinking = std::chrono::milliseconds{random.Below(400)};
  plans_.push_back(plan);
  return plans_.back();
}

std::string Plans::PathOf(const Plan& plan) { return fmt::format("{}{}", kPathPrefix, plan.id); }

Plan* Plans::Find(std::string_view path) {
  if (!path.starts_with(kPathPrefix)) return nullptr;
  path.remove_prefix(kPathPrefix.size());
  uint32_t id = 0;
  auto [end, failed] = std::from_chars(path.data(), path.data() + path.size(), id);
  bool whole = failed == std::errc() && end == path.data() + path.size();
  return whole && id < plans_.size() ? &plans_[id] : nullptr;
}

std::string RequestBody(const Plan& plan) { return Body(plan.id * 2, plan.request_bytes); }
std::string ResponseBody(const Plan& plan) { return Body(plan.id * 2 + 1, plan.response_bytes); }

}  // namespace meridian::sim
