#include "visit/progress.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/result.hpp"
#include "visit/record.hpp"

namespace meridian::visit {
namespace {

std::string CauseOf(const Address& address, const Error& error) {
  std::string name = address.data_center.empty() ? "" : address.data_center + " ";
  return fmt::format("{}{} {}", name, address.endpoint.ToString(), ErrcName(error.code));
}

}  // namespace

std::optional<std::string> Progress::Add(uint64_t number, const Visit& visit) {
  if (!served_by_.empty() && number < newest_) return {};
  if (Failed(visit)) return OnFailure(visit);
  newest_ = number;
  return OnServed(visit);
}

std::optional<std::string> Progress::OnFailure(const Visit& visit) {
  if (++failures_ > 1) return {};
  if (visit.problem) return "failing: " + visit.problem->message;
  const Attempt& last = visit.attempts.back();
  if (last.error) return "failing: " + CauseOf(last.address, *last.error);
  return fmt::format("failing: {} answers with status {}", ServedBy(visit), last.status);
}

std::optional<std::string> Progress::OnServed(const Visit& visit) {
  std::string before = std::exchange(served_by_, ServedBy(visit));
  uint64_t failures = std::exchange(failures_, 0);
  if (before == served_by_ && failures == 0) return {};
  std::string line = served_by_;
  if (!before.empty() && before != served_by_) line = before + " -> " + served_by_;
  if (failures > 0) {
    line += fmt::format(" after {} failure{}", failures, failures == 1 ? "" : "s");
  }
  const Attempt& first = visit.attempts.front();
  if (first.error) line += fmt::format(" ({})", CauseOf(first.address, *first.error));
  return line;
}

}  // namespace meridian::visit
