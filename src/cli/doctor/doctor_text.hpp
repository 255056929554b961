// The output of `meridian doctor`. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/doctor/facts.hpp"
#include "cli/doctor/findings.hpp"

namespace meridian::cli {

struct Diagnosis {
  std::vector<Finding> findings;
  std::vector<std::string> unchecked;
};

Diagnosis Diagnose(const DoctorFacts& facts);

bool HasErrors(const Diagnosis& diagnosis);

// For people. `color`: with terminal colors.
std::string DoctorText(const DoctorFacts& facts, const Diagnosis& diagnosis, bool color);

// {"site": NAME or null, "state": DIR, "errors": N, "warnings": N, "findings": [{"severity",
// "subject", "problem", "mend"}…], "unchecked": [TEXT…]}, indented, with a newline.
std::string DoctorJson(const DoctorFacts& facts, const Diagnosis& diagnosis);

}  // namespace meridian::cli
