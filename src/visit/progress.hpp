// Progress lines of a load: a line when a different data center serves the visitors, when visits
// begin to fail, and when they succeed again. Pure; one owner, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "visit/record.hpp"

namespace meridian::visit {

class Progress {
 public:
  // Call when visit `number` (its number in the schedule) ends. Returns the line to print, without
  // newline, if any. A visit that ends after a later visit was served is out of date and gives no
  // line.
  std::optional<std::string> Add(uint64_t number, const Visit& visit);

 private:
  std::optional<std::string> OnFailure(const Visit& visit);
  std::optional<std::string> OnServed(const Visit& visit);

  uint64_t newest_ = 0;    // highest number of a served visit
  std::string served_by_;  // data center; empty before the first
  uint64_t failures_ = 0;  // since then
};

}  // namespace meridian::visit
