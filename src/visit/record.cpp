#include "visit/record.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/result.hpp"
#include "visit/limits.hpp"

namespace meridian::visit {
namespace {

constexpr int kFirstServerError = 500;

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

ResponsePath ParseResponsePath(std::string_view field) {
  ResponsePath path;
  while (!field.empty()) {
    std::string_view word = field.substr(0, field.find(' '));
    field.remove_prefix(std::min(word.size() + 1, field.size()));
    size_t equals = word.find('=');
    if (equals == std::string_view::npos || !IsName(word.substr(equals + 1))) continue;
    std::string_view key = word.substr(0, equals);
    std::string* value = key == "edge"         ? &path.edge
                         : key == "datacenter" ? &path.datacenter
                         : key == "instance"   ? &path.instance
                                               : nullptr;
    if (value != nullptr) *value = word.substr(equals + 1);
  }
  return path;
}

bool MayFallBack(const Error& error) {
  switch (error.code) {
    case Errc::kRefused:
    case Errc::kReset:
    case Errc::kClosed:
    case Errc::kTimeout:
    case Errc::kUnavailable:
      return true;
    case Errc::kInvalid:
    case Errc::kTooLarge:
    case Errc::kNotFound:
    case Errc::kExists:
    case Errc::kPermission:
    case Errc::kCancelled:
    case Errc::kIo:
      return false;
  }
  return false;
}

bool Failed(const Visit& visit) {
  if (visit.problem) return true;
  const Attempt& last = visit.attempts.back();
  return last.error || last.status >= kFirstServerError;
}

bool FellBack(const Visit& visit) { return visit.attempts.size() > 1; }

std::string ServedBy(const Visit& visit) {
  const Attempt& last = visit.attempts.back();
  if (!last.path.datacenter.empty()) return last.path.datacenter;
  if (!last.path.edge.empty()) return last.path.edge;
  if (!last.address.data_center.empty()) return last.address.data_center;
  return last.address.endpoint.address.ToString();
}

std::string FailureOf(const Visit& visit) {
  if (visit.problem) return fmt::format("dns {}", ErrcName(visit.problem->code));
  const Attempt& last = visit.attempts.back();
  return last.error ? std::string(ErrcName(last.error->code))
                    : fmt::format("status {}", last.status);
}

}  // namespace meridian::visit
