// What somebody who watches a load is told: one line when another data center serves the visitors
// than before, when nobody does any more, and when somebody does again. Pure; one owner, one
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "visit/record.hpp"

namespace meridian::visit {

class Progress {
 public:
  // Visit `number` (they are numbered as they were due) has ended: the line to print, without
  // newline, if there is one. One that ends after a later one was served says nothing: what it
  // knows is out of date.
  std::optional<std::string> Add(uint64_t number, const Visit& visit);

 private:
  std::optional<std::string> OnFailure(const Visit& visit);
  std::optional<std::string> OnServed(const Visit& visit);

  uint64_t newest_ = 0;    // the latest number that was served
  std::string served_by_;  // by whom; empty before the first
  uint64_t failures_ = 0;  // since then
};

}  // namespace meridian::visit
